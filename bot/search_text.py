"""What was typed to be searched for, read into words and conditions such as `outcome:denied`.

Words are for `storage.search_words`. Whom and what conditions name is looked up in the log, and
a name that nothing has is refused: a search that silently finds nothing would be believed.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar

from storage.listing import refs_of
from storage.named_people import names_here, refs_named
from storage.published import known_workflows
from storage.search_runs import Sought
from storage.transaction import Database
from workflows.duration import duration
from workflows.entry import Ref
from workflows.errors import InterlockError
from workflows.fault import nearest
from workflows.people import PersonId
from workflows.run import Status

# A phrase in quotes is never a condition, so a word with a colon can be looked for as well.
PIECE = re.compile(
    r'(?P<phrase>-?"[^"]*"?)|(?<!\S)(?P<name>-*[A-Za-z]+):(?P<value>"[^"]*"|[^\s"]*)|(?P<word>[^\s"]+)'
)
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
FILTERS = ("workflow", "by", "approver", "outcome", "after", "before")
MEANT = {
    "approved": "approver",
    "decider": "approver",
    "from": "by",
    "requester": "by",
    "since": "after",
    "status": "outcome",
    "until": "before",
    "user": "by",
}
OUTCOMES: Mapping[str, Status] = {
    **{one.value: one for one in Status if one.is_end},
    "rejected": Status.DENIED,
    "succeeded": Status.DONE,
}
ME = "me"
NOBODY = Ref("")
QUOTE_IT = "To look for the word itself, put it in quotes."

T = TypeVar("T")


class UnclearSearchError(InterlockError):
    """A condition of a search that names nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who searches: what `by:me` means, and what they may read, as `Sought` has it."""

    person: PersonId | None = None
    channels: Collection[str] | None = None
    audited: frozenset[str] = frozenset()
    among: frozenset[str] | None = None


def read_search(typed: str, database: Database, *, asker: Asker, now: datetime) -> Sought:
    """Return what `typed` asks for.

    Raises:
        UnclearSearchError: a condition is called like none there is, or its value names nothing.
    """
    words, conditions = _apart(typed)
    reader = _Reader(database=database, asker=asker, now=now)
    after = [reader.moment(one) for one in conditions["after"]]
    before = [reader.moment(one) for one in conditions["before"]]
    return Sought(
        words=words,
        workflows=_all(reader.workflow, conditions["workflow"]),
        requesters=_union(reader.people, conditions["by"]),
        approvers=_union(reader.people, conditions["approver"]),
        outcomes=_all(_outcome, conditions["outcome"]),
        after=max(after, default=None),
        before=min(before, default=None),
        channels=asker.channels,
        audited=asker.audited,
        among=asker.among,
    )


def _apart(typed: str) -> tuple[str, Mapping[str, list[str]]]:
    words: list[str] = []
    conditions: dict[str, list[str]] = {name: [] for name in FILTERS}
    for piece in PIECE.finditer(typed):
        name = _filter_of(piece)
        if name:
            conditions[name].append(_value_of(piece, name))
        else:
            words.append(piece[0])
    return " ".join(words), conditions


def _filter_of(piece: re.Match[str]) -> str:
    """Return which condition a piece is, nothing where it is a word.

    Raises:
        UnclearSearchError: it is called almost like one.
    """
    name, value = (piece["name"] or "").casefold(), piece["value"] or ""
    if name in FILTERS or not name:
        return name
    if name.startswith("-"):
        return _unturned(name.lstrip("-"))
    near = MEANT.get(name) or nearest(name, FILTERS)
    if near is None or not value or value.startswith("//"):
        return ""
    raise UnclearSearchError(
        f"There is no condition “{name}:”. Did you mean “{near}:”?", hint=QUOTE_IT
    )


def _unturned(name: str) -> str:
    """Return that a piece is a word to be missing.

    Raises:
        UnclearSearchError: it is a condition, which nothing turns round.
    """
    if name in FILTERS or name in MEANT:
        raise UnclearSearchError(f"A condition such as “{name}:” takes no minus.", hint=QUOTE_IT)
    return ""


def _value_of(piece: re.Match[str], name: str) -> str:
    value = piece["value"].strip('"').strip()
    if not value:
        raise UnclearSearchError(
            f"“{name}:” needs a value right behind it.", hint="Without a space between."
        )
    return value


def _all(read: Callable[[str], T], written: Collection[str]) -> frozenset[T]:
    return frozenset(read(one) for one in written)


def _union(read: Callable[[str], frozenset[Ref]], written: Collection[str]) -> frozenset[Ref]:
    return frozenset().union(*map(read, written))


def _outcome(written: str) -> Status:
    wanted = written.casefold().replace("-", "_")
    if wanted in OUTCOMES:
        return OUTCOMES[wanted]
    raise UnclearSearchError(
        f"No run ends “{written[:60]}”.{_perhaps(wanted, OUTCOMES)}",
        hint=f"Runs end {', '.join(one.value for one in Status if one.is_end)}.",
    )


def _perhaps(written: str, known: Collection[str]) -> str:
    near = nearest(written.casefold(), known)
    return f" Did you mean “{near}”?" if near else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Looks up what values name."""

    database: Database
    asker: Asker
    now: datetime

    def workflow(self, written: str) -> str:
        # One that the asker may not see is not there for them, neither is its name.
        known = known_workflows(self.database)
        known = known if self.asker.among is None else known & self.asker.among
        wanted = written.casefold()
        if wanted in known:
            return wanted
        raise UnclearSearchError(
            f"No workflow is called “{written[:60]}”.{_perhaps(wanted, known)}",
            hint="Nothing was searched.",
        )

    def people(self, written: str) -> frozenset[Ref]:
        if written.casefold() == ME and self.asker.person is not None:
            # Whoever has done nothing here yet has no pseudonym, and no run is theirs.
            return refs_of(self.database, self.asker.person) or frozenset({NOBODY})
        mention = MENTION.fullmatch(written)
        name = mention[1] if mention else written.removeprefix("@")
        found = refs_named(self.database, name)
        if found:
            return found
        raise UnclearSearchError(
            f"Nobody called “{name[:60]}” has asked for or decided anything here."
            f"{_perhaps(name, names_here(self.database))}",
            hint="Write a mention, an id, or the whole name in quotes.",
        )

    def moment(self, written: str) -> datetime:
        try:
            return datetime.combine(date.fromisoformat(written), time(), UTC)
        except ValueError:
            pass
        try:
            return self.now - duration(written.casefold())
        except (ValueError, OverflowError):
            raise UnclearSearchError(
                f"“{written[:60]}” is no day.", hint="Write 2026-01-31, or 7d for a week ago."
            ) from None
