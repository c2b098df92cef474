"""What a server costs between a client and a model; see `__main__.py`."""
