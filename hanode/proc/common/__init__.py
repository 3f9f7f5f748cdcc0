"""What all processes of a node share: the loop, lines of JSON, the line between two of them.

DRIVER.
"""
