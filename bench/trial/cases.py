"""What one run of a trial is about, decided beforehand by a seed and nothing else."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.trial.home import Home
from bench.trial.target import TROUBLES

WORKFLOWS = {
    "pay": 5,
    "pay-blind": 3,
    "chain": 3,
    "run-program": 2,
    "remove-rows": 3,
    "many": 2,
    "sides": 3,
    "take-back": 2,
}
# What a run that is done did to its subject, as the target names it.
DOES = {
    "chain": ("-one", "-two", "-three"),
    "many": ("-a", "-b", "-c", "-d"),
    "sides": ("-left", "-slow", "-right"),
}
NEVER_TROUBLED = frozenset({"run-program", "remove-rows"})
TROUBLED = 0.35
BOXES = 6
DENIED, NOBODY, CANCELLED = 0.06, 0.01, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: what it does, what goes wrong at its target, and how people behave.

    `subject` is both the key under which it is started and the name of what it acts upon, so
    it never appears twice.
    """

    subject: str
    workflow: str
    trouble: str
    verdict: str  # approve, deny or nobody
    is_decided_at_once: bool  # By a click at the very instant the card is committed.
    clicks: int
    starts: int  # How often the same start is sent at one moment.
    is_cancelled: bool
    box: str

    @property
    def inputs(self) -> Mapping[str, str]:
        """Return what the run is started with."""
        given = {"subject": self.subject}
        if self.workflow not in NEVER_TROUBLED:
            given["trouble"] = self.trouble
        if self.workflow == "chain":
            given["box"] = self.box
        return given

    def prepare(self, home: Home) -> None:
        """Put what the run acts upon in its place."""
        if self.workflow == "remove-rows":
            home.put_parcel(self.subject)

    @property
    def effects(self) -> tuple[str, ...]:
        """Return the names under which the target keeps what a finished run did."""
        return tuple(f"{self.subject}{one}" for one in DOES.get(self.workflow, ("",)))


def cases(name: str, chance: random.Random) -> Iterator[Case]:
    """Yield cases for ever, the same ones for the same `name` and seed."""
    number = 0
    while True:
        number += 1
        yield _a_case(f"{name}-{number:04d}", chance)


def _a_case(subject: str, chance: random.Random) -> Case:
    workflow = chance.choices(list(WORKFLOWS), list(WORKFLOWS.values()))[0]
    is_at_once = chance.random() < 0.25  # noqa: PLR2004  a share
    trouble = chance.choice(TROUBLES) if chance.random() < TROUBLED else ""
    return Case(
        subject=f"{subject}-now" if is_at_once else subject,
        workflow=workflow,
        trouble=trouble if workflow not in NEVER_TROUBLED else "",
        verdict="approve" if is_at_once else _verdict(chance.random()),
        is_decided_at_once=is_at_once,
        clicks=chance.choice((1, 1, 1, 2, 3)),
        starts=chance.choice((1, 1, 1, 1, 2)),
        is_cancelled=chance.random() < CANCELLED,
        box=f"b{chance.randrange(BOXES)}",
    )


def _verdict(share: float) -> str:
    if share < NOBODY:
        return "nobody"
    return "deny" if share < NOBODY + DENIED else "approve"
