"""The files that keepalived writes when a signal asks for them.

DRIVER.
"""
