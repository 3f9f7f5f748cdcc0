"""For every code of a Problem: a text that has it, and one nearly equal text that does not."""
