"""The vrrp process: instances, their packets and timers, the addresses that they hold.

DRIVER.
"""
