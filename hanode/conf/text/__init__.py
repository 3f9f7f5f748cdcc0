"""From the text of keepalived.conf to logical lines, each with its place; no keyword is known yet.

PURE. `tree` holds a text losslessly (`parse(text).text() == text`), `expand` resolves conditions,
macros and includes, `source` holds places, `problems` describes mistakes and their fixes.
"""
