"""Procedures: what a verification does, in which order. They are `async def` over the ports and hold no rule.

A rule (is this claim good, may this key be used) is a pure function in `jose/` or `guards/`; sockets, clocks and
threads are adapters. Nothing is imported here: every module is imported by the one who needs it.
"""
