"""The routes that benchmarks/requests.py measures, one module per framework, and how they are called."""
