"""The agent: carries envelopes in from the broker and events out to it, without rights.

DRIVER.
"""
