"""Where the values of secrets come from: one file per source, and what asks them in order."""
