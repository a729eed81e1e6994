"""Whoever keeps a head of the log outside: a folder, a mailbox, a time stamp, a witness, a key."""
