"""Tests of what a node lets pushed configurations do."""
