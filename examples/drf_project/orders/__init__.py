"""The orders of tenants."""
