"""The commands of `python -m hanode`.

DRIVER.
"""
