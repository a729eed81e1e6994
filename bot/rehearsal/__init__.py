"""Runs in a house of their own: the real engine on a database that is thrown away."""
