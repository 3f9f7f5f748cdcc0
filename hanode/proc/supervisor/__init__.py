"""The supervisor: starts the other processes, keeps the revision, answers the operator.

DRIVER.
"""
