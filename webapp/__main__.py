"""DRIVER. The control plane's command line: `keepsight`, `python -m webapp`, `manage.py`."""

from __future__ import annotations

import os
import sys

from hanode.version import VERSION


def main() -> None:
    """Run the command named on the command line. The release is ours, not Django's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    if sys.argv[1:] in (["version"], ["--version"]):
        print(f"keepsight {VERSION}")
        return
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"keepsight: {error}")
    except OperationalError as error:
        why = " ".join(str(error).split())
        sys.exit(f"keepsight: the database does not answer as it should: {why}")


if __name__ == "__main__":
    main()
