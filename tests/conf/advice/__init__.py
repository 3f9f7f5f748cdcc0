"""Advice is executed: each hint of a Problem is done to the text, as a person would do it."""
