"""Secrets at rest: columns that are sealed with a key outside the database, and its rotation."""
