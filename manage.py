#!/usr/bin/env python3
"""DRIVER. The control plane's command line, from a checkout; installed it is called `keepsight`."""

from webapp.__main__ import main

if __name__ == "__main__":
    main()
