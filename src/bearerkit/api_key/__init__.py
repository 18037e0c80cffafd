"""What an API key is: its text, its stored hash, its record. Pure functions and values.

Nothing here waits, asks a store, reads a clock or rolls dice: random bytes and `now` are parameters. Procedures are in
`verify/api_keys.py`, what teams call is in `api_keys.py`.
"""
