"""What starts although the file has mistakes, as keepalived starts with it.

PURE.
"""
