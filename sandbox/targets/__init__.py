"""Things that a demo can change for real: a shop, a database of accounts, a repository.

Each one fills its folder itself, the same way every time, and keeps its own record of what
was done to it, so that whoever watches need not believe Interlock.
"""
