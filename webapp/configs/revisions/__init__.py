"""What is pushed and what was: pending changes, the freeze, the list; import makes revision 0."""
