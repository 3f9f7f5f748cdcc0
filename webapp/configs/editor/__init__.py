"""The document as text: the page with the editor, the checks while somebody types, the save."""
