"""Measurements: programs that print a table. Not run by the tests."""
