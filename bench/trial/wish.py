"""What a crowd has to know of a case, whatever trial it belongs to."""

from collections.abc import Mapping
from typing import Protocol

from bench.trial.home import Home


class Wish(Protocol):
    """One run that somebody wants, and how people behave around it."""

    @property
    def subject(self) -> str:
        """Return the key under which it is started; it stands among its inputs."""

    @property
    def workflow(self) -> str:
        """Return which workflow it runs."""

    @property
    def inputs(self) -> Mapping[str, object]:
        """Return what it is started with."""

    @property
    def verdict(self) -> str:
        """Return approve, deny or nobody."""

    @property
    def clicks(self) -> int:
        """Return how often each decision is sent at one moment."""

    @property
    def starts(self) -> int:
        """Return how often the start is sent at one moment."""

    @property
    def is_cancelled(self) -> bool:
        """Whether its requester takes it back."""

    @property
    def effects(self) -> tuple[str, ...]:
        """Return the names under which the target keeps what a finished run did."""

    def prepare(self, home: Home) -> None:
        """Put what the run acts upon in its place."""
