"""Runs that change nothing: what a test of a workflow file says, and stand-ins for the world."""
