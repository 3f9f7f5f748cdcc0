"""The release of the whole of Keepsight, node and control plane: the newest one in CHANGELOG.md.

PURE. The only place that says it; pyproject.toml reads it from here.
"""

VERSION = "0.2.0"
