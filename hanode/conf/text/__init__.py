"""Bytes to logical lines, each with its place. No word has a meaning yet.

PURE. `tree` holds a text losslessly (`parse(text).text() == text`), `expand` works out conditions,
macros and includes, `source` has the places, `problems` says what is wrong at one.
"""
