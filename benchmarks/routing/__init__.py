"""Routing side by side: moa's gates beside what else people use, on the same vectors, in one run."""
