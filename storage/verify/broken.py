"""A pack that cannot be read at all."""


class BrokenPackError(ValueError):
    """A pack that cannot be read; the text says why."""
