"""What aggregation is worth: recorded drafts, and drafts of the local models, under every policy."""
