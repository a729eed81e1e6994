"""Remembers: the database, the audit trail and what is rebuilt from it."""
