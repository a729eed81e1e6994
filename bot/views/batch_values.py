"""What a batch is drawn from: its requests as they stand, and what is still to come."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.views.request_values import Preview, Receipt, RequestCard
from bot.wording import one_line, plural
from workflows.entry import RequestId
from workflows.gate import Outcome
from workflows.instances import items_of

DIGEST = 8  # Characters of each digest that a button names.
_INSIDE = re.compile(r"\s|[}\]],?$")  # How JSON is written over several lines.


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCard:
    """Requests of one loop that are put to people together; there is at least one.

    `to_come` says how many items of the loop have not been asked about, and `ends_run` whether
    the run ends with the first that is rejected.
    """

    id: RequestId  # Of its first request.
    items: Sequence[RequestCard]
    to_come: int = 0
    ends_run: bool = False
    receipt: Receipt | None = None
    thread: str = ""

    @property
    def shown(self) -> Preview:
        """Return the preview that speaks for what all have in common."""
        return self.speaking.preview

    @property
    def speaking(self) -> RequestCard:
        """Return the request that stands for the others: of the open ones, the least decided."""
        return min(self.open or self.items, key=lambda one: sum(one.given))

    @property
    def open(self) -> list[RequestCard]:
        """Return the requests that can still be approved."""
        return [one for one in self.items if one.is_open]

    @property
    def turning(self) -> list[RequestCard]:
        """Return the requests of which an approval can still be taken back."""
        return [one for one in self.items if may_turn(one)]

    @property
    def decidable(self) -> list[RequestCard]:
        """Return those that can be decided, be it to take an approval back."""
        return [one for one in self.items if one.is_open or may_turn(one)]

    def value(self, some: Sequence[RequestCard]) -> str:
        """Return what a button carries: the batch, and exactly which of its requests it shows."""
        return f"{self.id}.{''.join(one.preview.digest[:DIGEST] for one in some)}"

    @property
    def words(self) -> str:
        """Return what it is about, as plain text."""
        return f"{self.shown.title}: {plural(len(self.items), 'item')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchShown:
    """Which batch a button or modal is about, and the heads of the digests it showed."""

    batch: str
    digests: frozenset[str]

    @classmethod
    def read(cls, value: str) -> "BatchShown | None":
        """Return what `value` names, None where it is none of ours."""
        batch, dot, heads = value.partition(".")
        if not batch or not dot or len(heads) % DIGEST:
            return None
        found = (heads[start : start + DIGEST] for start in range(0, len(heads), DIGEST))
        return cls(batch=batch, digests=frozenset(found))


def may_turn(one: RequestCard) -> bool:
    """Say whether an approval was given that can still be taken back."""
    return one.outcome is Outcome.APPROVED and one.may_take_back and not one.is_consumed


def number_of(one: RequestCard) -> int:
    """Return which item of its loop a request is about, counted from 1 as people do."""
    return items_of(one.preview.step)[-1] + 1


def row_of(one: RequestCard) -> str:
    """Return everything there is to read about an item, on one line of plain text."""
    shown = one.preview
    changed = (f"Changed: {line}" for line in shown.changed)
    told = [one_line(line) for line in (shown.headline, *shown.lines, *changed)]
    return f"{number_of(one)}. {_in_a_row(told)}"


def _in_a_row(lines: Sequence[str]) -> str:
    """Join lines by dots; one that stands inside of the one above, or ends it, by a space."""
    first, *rest = lines
    joined = (f" {one.strip()}" if _INSIDE.match(one) else f" · {one}" for one in rest)
    return first + "".join(joined)


def numbers(found: Sequence[int]) -> str:
    """Return numbers as people write them: `1, 3 to 7`."""
    return ", ".join(_runs(sorted(found)))


def _runs(found: Sequence[int]) -> Iterator[str]:
    start = 0
    for at, one in enumerate(found):
        goes_on = at + 1 < len(found) and found[at + 1] == one + 1
        if not goes_on:
            first = found[start]
            yield str(one) if first == one else f"{first} to {one}"
            start = at + 1
