"""Two directors, two real servers, a client and a switch in network namespaces; bin/demo.

DRIVER.
"""
