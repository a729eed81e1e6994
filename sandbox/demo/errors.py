"""What can go wrong in the demo."""


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


class HeldError(DemoError):
    """A run of the demo waits for another one that was left open."""
