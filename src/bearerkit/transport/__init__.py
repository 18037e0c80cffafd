"""The `HttpClient` port over real sockets. It enforces limits and decides nothing about what it fetched.

Nothing is imported here: the HTTP library is loaded when something is fetched for the first time, never before.
"""
