"""`python -m hanode.proc.vrrp`: how the supervisor starts this process."""

from __future__ import annotations

import sys

from hanode.proc.vrrp.process import main

sys.exit(main())
