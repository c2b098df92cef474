"""Local models: what there is, how it gets here, and the engine that runs it."""
