"""What a mixture costs on top of its models: moa beside its peers, against one mock server.

Run: `python -m benchmarks.orchestration`.
"""
