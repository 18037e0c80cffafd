"""Stores: the ports that remember something, one module per place where it is kept.

Nothing is imported here, so a store's driver is loaded only by who uses it.
"""
