"""Stands for a part of the bot that is imported and made once somebody asks something of it."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any


class Later:
    """Has each method of a part, and makes the part when the first of them is called."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._guard = threading.Lock()
        self._made: object = None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._call, method)

    @property
    def made(self) -> object:
        """Return the part, of which there is one."""
        with self._guard:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _call(self, method: str, *given: object, **named: object) -> object:
        return getattr(self.made, method)(*given, **named)
