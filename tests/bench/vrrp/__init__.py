"""How fast the VRRP engine is, beside keepalived in the same run: `python -m tests.bench.vrrp`."""
