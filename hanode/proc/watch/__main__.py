"""`python -m hanode.proc.watch`: how the supervisor starts this process."""

from __future__ import annotations

import sys

from hanode.proc.watch.process import main

sys.exit(main())
