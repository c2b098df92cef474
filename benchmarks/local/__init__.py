"""Local models in one process: a panel larger than memory, and what the pool, the slots and the adapters are worth."""
