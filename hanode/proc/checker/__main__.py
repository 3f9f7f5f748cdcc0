"""`python -m hanode.proc.checker`: how the supervisor starts this process."""

from __future__ import annotations

import sys

from hanode.proc.checker.process import main

sys.exit(main())
