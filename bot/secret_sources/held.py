"""Gives the value of a secret: each source is asked in its turn, the first that has it counts.

Whatever is given is first told to the redactor, so that no text that is written from then on
can carry it. Of values that lie on this machine the redactor knows before anybody asks.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from bot.secret_sources.port import Source
from workflows.errors import SecretError, SecretUnreadableError
from workflows.redaction import Redactor
from workflows.secret_book import Found, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a secret would come from; `version` as far as that is known without asking.

    `trouble` says why it cannot be used, if so.
    """

    source: str
    version: int | None = None
    trouble: str = ""


class HeldSecrets:
    """Every secret this process can get. It never prints them. Safe to share between threads."""

    def __init__(
        self,
        sources: Sequence[Source],
        redact: Redactor,
        *,
        used: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """`used` is told the plain name of each secret that is given out."""
        self._sources = tuple(sources)
        self._redact = redact
        self._used = used

    def find(self, name: str) -> Found:
        """Return the secret of that name with its version.

        Raises:
            SecretUnreadableError: a source that comes first could not be asked.
            SecretError: there is none, or it cannot be used.
        """
        found = self._found(name)
        self._used(plain(name))
        return found

    def reveal(self, name: str) -> str:
        return self.find(name).value

    def look_at(self, name: str) -> str:
        """Return a value that is only judged: as `find`, and no use of the secret.

        Raises:
            SecretError: as `find`.
        """
        return self._found(name).value

    def learn(self) -> list[SecretError]:
        """Tell the redactor of every value that lies on this machine; return what went wrong."""
        refusals: list[SecretError] = []
        for source in self._sources:
            try:
                names = list(source.names() or ())
            except SecretError as refusal:
                refusals.append(refusal)
                continue
            for name in names:
                try:
                    found = source.find(name)
                    self._redact.learn(*([found.value] if found is not None else []))
                except SecretUnreadableError as refusal:
                    refusals.append(refusal)
                    break  # Whoever cannot be asked for one would be waited for at each.
                except SecretError as refusal:
                    refusals.append(refusal)
        return refusals

    def names(self) -> frozenset[str]:
        """Return the plain names of all that lies on this machine."""
        return frozenset(name for one in self._sources for name in one.names() or ())

    def missing(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return the names of `wanted` that surely no source has."""
        names = self.names()
        if any(one.names() is None for one in self._sources):
            return ()
        return tuple(sorted(name for name in wanted if plain(name) not in names))

    def origin(self, name: str) -> Origin | None:
        """Return where a secret would come from, without asking any source for its value."""
        for source in self._sources:
            known = source.names()
            if known is None:
                return Origin(source=source.name)
            if plain(name) in known:
                return _origin(source, name)
        return None

    def ahead_of(self, source: str, name: str) -> str | None:
        """Return which of the sources that are asked before `source` has that secret too.

        Raises:
            SecretUnreadableError: one of them could not say.
        """
        before = takewhile(lambda one: one.name != source, self._sources)
        return next((one.name for one in before if plain(name) in (one.names() or ())), None)

    def _found(self, name: str) -> Found:
        found = self._asked(name)
        if found is None:
            raise SecretError(
                f"There is no secret {name!r}.",
                hint=f"Set it with `interlock secret set {plain(name)}`,"
                f" or as INTERLOCK_SECRET_{plain(name).upper()}.",
            )
        self._redact.learn(found.value)
        return found

    def _asked(self, name: str) -> Found | None:
        """Ask each in its turn, and no further one than the first that has it."""
        return next(filter(None, (source.find(name) for source in self._sources)), None)


def _origin(source: Source, name: str) -> Origin:
    try:
        found = source.find(name)
    except SecretError as refusal:
        return Origin(source=source.name, trouble=refusal.message)
    return Origin(source=source.name, version=None if found is None else found.version)
