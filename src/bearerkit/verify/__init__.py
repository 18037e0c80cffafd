"""Procedures: what a verification does, in which order, as `async def` over the ports.

The rules about a token, a key or a caller are pure functions in `jose/` and `guards/`. The rules that stand here are
about the way there: where a credential stands in a request, which issuer entry judges it, which URL may be fetched,
how often. Sockets, clocks and threads are ports. Nothing is imported here: every module is imported by its user.
"""
