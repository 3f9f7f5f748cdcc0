"""Which tests stand near a module: only these are run for its mutants."""

from __future__ import annotations

from pathlib import PurePosixPath

BUILD = (
    "tests/build",
    "tests/vrrp/test_build.py",
    "tests/vrrp/test_build_hmac.py",
    "tests/vrrp/test_build_virtual.py",
    "tests/proc/test_build.py",
)
SCOPES: dict[str, tuple[str, ...]] = {
    "hanode/apply.py": (
        "tests/proc/test_apply.py",
        "tests/proc/test_apply_reports.py",
        "tests/proc/test_kept_state.py",
    ),
    "hanode/build": BUILD,
    "hanode/check": ("tests/check",),
    "hanode/ipvs": ("tests/ipvs",),
    "hanode/vrrp": ("tests/vrrp", "tests/sim"),
    "hanode/watch": ("tests/watch",),
    "webapp/rollout/plan.py": ("tests/web/backend/test_plan.py",),
}


def near(target: str) -> tuple[str, ...]:
    """The tests of a module or room; of a room's module, the room's; none where none are known."""
    path = PurePosixPath(target)
    known = (SCOPES[str(one)] for one in (path, *path.parents) if str(one) in SCOPES)
    return next(known, ())
