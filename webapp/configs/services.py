"""The verbs on a cluster's document, for other apps, commands and the API; each is in its room.

Every verb that writes is one transaction with an audit row; browsers are told after it.
"""

from __future__ import annotations

from webapp.configs.editor.checking import NotUnderstood
from webapp.configs.editor.documents import (
    check_document,
    check_json,
    problems_of,
    save_document,
)
from webapp.configs.revisions.imports import (
    Imported,
    import_files,
    preview_import,
)
from webapp.configs.revisions.pending import (
    Pending,
    PendingFile,
    freeze,
    newest_number,
    pending,
)
from webapp.configs.rows.drafts import (
    Saved,
    document_text,
    draft_version,
    seen,
)
from webapp.configs.rows.edits import (
    NewAddress,
    add_real_server,
    add_vip,
    remove_real_server,
    remove_vip,
    save_group,
    save_group_node,
    save_real_server,
    save_virtual_server,
)

__all__ = [
    "Imported",
    "NewAddress",
    "NotUnderstood",
    "Pending",
    "PendingFile",
    "Saved",
    "add_real_server",
    "add_vip",
    "check_document",
    "check_json",
    "document_text",
    "draft_version",
    "freeze",
    "import_files",
    "newest_number",
    "pending",
    "preview_import",
    "problems_of",
    "remove_real_server",
    "remove_vip",
    "save_document",
    "save_group",
    "save_group_node",
    "save_real_server",
    "save_virtual_server",
    "seen",
]
