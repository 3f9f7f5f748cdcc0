"""The public face of keepalived's language (see design)."""
