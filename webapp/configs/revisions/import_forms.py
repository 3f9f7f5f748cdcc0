"""The import's forms: the cluster's name, and one file for each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile

from webapp.common import workers
from webapp.configs.language import TEXT_CHARS_MAX
from webapp.configs.rows import foreign


class ImportForm(forms.Form):
    """The cluster's name and the fixes; each node has an ImportFileForm of its own."""

    name = forms.CharField(
        label="Name of the cluster",
        max_length=60,
        error_messages={"required": "Give the cluster a name, for example Web front."},
    )
    fixes = forms.BooleanField(
        label="Apply the fixes that are safe",
        required=False,
        help_text="Keepsight rewrites the lines that have an offered fix, and shows the result.",
    )


class ImportFileForm(forms.Form):
    """One node's name and file, uploaded or pasted; or the document of all nodes."""

    odd_line: int | None = None
    """The first line that is not UTF-8, in an upload that was read as Latin-1 therefore."""
    nodes: tuple[str, ...] = ()
    """Whose file it is: the node's, or those that a document of all nodes names."""

    node = forms.CharField(
        label="Node",
        max_length=60,
        required=False,
        help_text="Empty for one document of all nodes, with lines that begin with @NODE.",
    )
    upload = forms.FileField(
        label="keepalived.conf",
        required=False,
        error_messages={"empty": "This file is empty; choose the node's keepalived.conf."},
    )
    text = forms.CharField(
        label="or paste it here",
        required=False,
        strip=False,
        max_length=TEXT_CHARS_MAX,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "wrap": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Copy an upload into the text, so that the next page can send it again.

        Refuses a name without a file, and a file without a name.
        """
        data: dict[str, Any] = super().clean() or {}
        upload: UploadedFile[Any] | None = data.get("upload")
        if upload is not None and not self.errors:
            data["text"] = self._read(upload)
        node, text = str(data.get("node", "")).strip(), str(data.get("text", ""))
        if node or text.strip():
            self._find_nodes(node, text)
        if node and not text.strip() and not self.errors:
            self.add_error("text", f"The file of {node} is missing; choose or paste it.")
        return {**data, "node": node, "text": text.replace("\r\n", "\n")}

    def _find_nodes(self, node: str, text: str) -> None:
        """Set `nodes`; without a name the text must name them."""
        try:
            self.nodes = (node,) if node else nodes_of(text)
        except workers.Overload as error:
            self.add_error("text", str(error))
        else:
            if not self.nodes:
                self.add_error("node", "Which node is this file of? Write its name, e.g. NodeA.")

    def _read(self, upload: UploadedFile[Any]) -> str:
        if (upload.size or 0) > TEXT_CHARS_MAX:
            self.add_error("upload", "This file is over 4 MB; that is no keepalived.conf.")
            return ""
        raw: bytes = upload.read()
        if b"\0" in raw:
            self.add_error("upload", "This is no text file; choose a keepalived.conf.")
            return ""
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            # In Latin-1 every byte is a character: nothing is lost, but some letters may be wrong.
            self.odd_line = raw.count(b"\n", 0, error.start) + 1
            return raw.decode("latin-1")


def nodes_of(document: str) -> tuple[str, ...]:
    """The nodes that a document names in its conditional lines."""
    return workers.run(foreign.node_ids, document) if "@" in document else ()


class ImportFileSet(forms.BaseFormSet[ImportFileForm]):
    """All the nodes' files together."""

    default_error_messages: ClassVar = {
        **forms.BaseFormSet.default_error_messages,
        "too_many_forms": "At most %(num)d nodes can be imported together.",
    }

    def clean(self) -> None:
        """Refuse two files of one node, and a document of all nodes beside other files."""
        seen: set[str] = set()
        filled = [form for form in self.forms if form.is_valid() and form.cleaned_data.get("text")]
        for form in filled if len(filled) > 1 else ():
            if not form.cleaned_data["node"]:
                form.add_error("node", "A document of all nodes stands alone: empty the others.")
        for form in self.forms:
            node = form.cleaned_data.get("node", "") if form.is_valid() else ""
            if node and node in seen:
                form.add_error("node", f"There are two files of {node}; rename or empty one.")
            seen.add(node)


def files_of(forms_: list[ImportFileForm]) -> Mapping[str, str]:
    """The files by node name, in the page's order. A document of all nodes is every node's file."""
    files: dict[str, str] = {}
    for each in forms_:
        files |= dict.fromkeys(each.nodes, str(each.cleaned_data.get("text", "")))
    return files
