"""Measures the VRRP engine and keepalived in the same run: `python -m tests.bench.vrrp`."""
