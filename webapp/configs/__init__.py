"""The configuration of a cluster: one document, as rows, in forms, as text, and as revisions.

    revisions/  what is pushed and what was: pending changes, freezing, import
    editor/     the document as text, and its check while somebody types
    forms/      forms for single rows
    rows/       rows ↔ document: compile, absorb, and the one way to change a draft
    models/     the rows, their columns, and the JSON beside the columns

No room imports one above it (`.importlinter`). `services` is the door for other apps.
"""
