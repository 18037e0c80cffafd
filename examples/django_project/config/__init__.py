"""The project: settings, routes, and who is trusted."""
