"""`python -m hanode.proc.agent`: how the supervisor starts this process."""

from __future__ import annotations

import sys

from hanode.proc.agent.process import main

sys.exit(main())
