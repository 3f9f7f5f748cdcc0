"""The checker process: health checks, quorum and IPVS.

DRIVER.
"""
