"""The kinds of work a step can do, one file each."""
