"""Rows and document: compile makes models of rows, absorb makes rows of models, edits and drafts
change them. The document is checked as a whole after every change."""
