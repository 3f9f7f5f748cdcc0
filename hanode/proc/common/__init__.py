"""What the processes of a node share: the event loop, lines of JSON, and a link between two.

DRIVER.
"""
