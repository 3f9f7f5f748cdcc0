"""The watch process: tracked scripts, processes and files; notify scripts, FIFOs and mail.

DRIVER.
"""
