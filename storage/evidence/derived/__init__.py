"""Entries in the forms of other systems: made from the log, never signed, and no evidence.

Whoever wants to check one finds the entry by its place and its id.
"""
