"""What keepalived's language is, as data: kinds of values, releases, defaults, secrets.

PURE. `schema` has the form of the tables; the tables themselves are in `keywords/`.
"""
