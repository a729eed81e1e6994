"""`interlock.erase` removes what the log holds of a person; `interlock.held` reads how much it is.

An erasure goes through a gate like any other effect. What belongs to the person is found and
removed through the port `payloads`, which `storage` fills. The plan counts it by run and class,
so that whoever approves knows how much will go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import StringConstraints

from workflows.actions.base import Action, Call, Effect, Happened, Model, Plan
from workflows.entry import Json
from workflows.errors import NotPerformedError

PORT = "payloads"
OWN = "this run: what they say in it is held back, and so is their name; erase again after it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """So many payloads of one class in one run; `run` is empty outside of runs."""

    run: str
    cls: str
    goes: int
    held: int


class Payloads(Protocol):
    """The port to what the log holds of people."""

    def counted(self, person: str) -> Sequence[Counted] | None:
        """Return what there is of whoever is known by that name or account, None for nobody.

        Raises:
            NotPerformedError: more than one person is.
        """

    def erase(self, person: str, *, by_run: str) -> Sequence[Counted]:
        """Remove it, and who they are; return what there was.

        Raises:
            NotPerformedError: not one person is known so, or it could not be removed.
        """

    def was_erased_by(self, run: str) -> bool:
        """Say whether that run has erased somebody."""


class Erase(Model):
    """What `interlock.erase` takes: a name or an account, such as `slack:T0ACME:U0RITA`."""

    person: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Erased(Model):
    """What it gives: how many payloads went, and how many are held back."""

    erased: int
    held: int


class EraseAction(Action[Erase, Erased]):
    """Erases a person."""

    name = "interlock.erase"
    effect = Effect.DESTRUCTIVE
    is_emergency = False
    takes = Erase
    gives = Erased

    def describe(self, arguments: Erase) -> str:
        return f"Erase {arguments.person}"

    def plan(self, arguments: Erase, call: Call) -> Plan:
        everything = _payloads(call).counted(arguments.person)
        if everything is None:
            raise nobody_known_as(arguments.person)
        # Asking and deciding adds to this very run, and would void each approval of its plan.
        found = [one for one in everything if one.run != _run(call)]
        own = (OWN,) if len(found) < len(everything) else ()
        goes, held = _sums(found)
        data: list[Json] = [[one.run, one.cls, one.goes, one.held] for one in found]
        return Plan(
            summary=f"Erase {arguments.person}: {goes} payloads go, {held} are held back",
            lines=(*(_line(one) for one in found), *own),
            data={"person": arguments.person, "payloads": data, **({"own": True} if own else {})},
        )

    def perform(self, arguments: Erase, call: Call) -> Erased:
        found = _payloads(call).erase(arguments.person, by_run=_run(call))
        goes, held = _sums(found)
        return Erased(erased=goes, held=held)

    def probe(self, arguments: Erase, call: Call) -> Happened:
        del arguments
        return Happened.YES if _payloads(call).was_erased_by(_run(call)) else Happened.NO


class Held(Model):
    """What `interlock.held` gives: how many payloads an erasure would remove, and could not."""

    is_known: bool
    goes: int
    held: int


class HeldAction(Action[Erase, Held]):
    """Reads how much there is of a person: the proof of an erasure."""

    name = "interlock.held"
    effect = Effect.READ
    takes = Erase
    gives = Held

    def describe(self, arguments: Erase) -> str:
        return f"Look what is held of {arguments.person}"

    def perform(self, arguments: Erase, call: Call) -> Held:
        found = _payloads(call).counted(arguments.person)
        goes, held = _sums(found or ())
        return Held(is_known=found is not None, goes=goes, held=held)


def nobody_known_as(person: str) -> NotPerformedError:
    """Return the refusal of a person that the log does not know."""
    return NotPerformedError(
        f"Nobody in this log is known as {person}.", error_class="unknown_person"
    )


def _payloads(call: Call) -> Payloads:
    port: Payloads | None = call.ports.get(PORT)
    if port is None:
        raise NotPerformedError(
            "No log is open here from which anything could be erased.", error_class="no_log"
        )
    return port


def _run(call: Call) -> str:
    return call.key.partition("/")[0]


def _sums(found: Sequence[Counted]) -> tuple[int, int]:
    return sum(one.goes for one in found), sum(one.held for one in found)


def _line(one: Counted) -> str:
    where = f"run {one.run}" if one.run else "outside of runs"
    held = f", {one.held} held back" if one.held else ""
    return f"{where}: {one.goes} {one.cls}{held}"
