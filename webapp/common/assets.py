"""Static files: collected with the hash of their content in their names, and compressed.

`collectstatic` writes them (bin/demo and the image do it). A checkout whose static files were
changed since serves them as they are, so that nobody looks at yesterday's page.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
HASHED = "webapp.common.assets.HashedFiles"


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # it has no types
    """Names with a hash, also where a module of ours imports another; gzip beside each file.

    Other people's bundles are not looked into: Django's own patterns for modules take parts of
    their minified text for imports.
    """

    patterns = (
        HashedFilesMixin.patterns[0],
        (
            "js/*.js",
            (
                (r"""(?P<matched>from "(?P<url>\./[^"]+)")""", 'from "%(url)s"'),
                (r"""(?P<matched>import "(?P<url>\./[^"]+)")""", 'import "%(url)s"'),
            ),
        ),
    )


def are_collected(root: Path, sources: Iterable[Path]) -> bool:
    """Whether `root` has what `collectstatic` makes, and no source is newer than that."""
    manifest = root / "staticfiles.json"
    if not manifest.is_file():
        return False
    made_s = manifest.stat().st_mtime
    files = (path for source in sources for path in source.rglob("*") if path.is_file())
    return all(path.stat().st_mtime <= made_s for path in files)
