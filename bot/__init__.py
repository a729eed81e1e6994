"""Talks: Slack, the command line, and the place where the parts meet."""
