"""The typed reading of every block and line of the language, by the schema's tables.

PURE. One module for each table of `keywords/`.
"""
