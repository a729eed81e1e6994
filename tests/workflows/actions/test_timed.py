"""Code of other packages that never comes back does not hold a step up for ever."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from workflows.actions.base import Action, Call, Effect, Happened, Model, Plan
from workflows.actions.timed import Timed
from workflows.errors import ActionFailedError, InDoubtError, TransientReadError

Calls = Callable[..., Call]
LEFT = "action-others.stubborn"  # As the threads are called.


class Word(Model):
    word: str = "go"


@dataclass
class Gate:
    """What the action waits for; whatever a test leaves waiting goes on at its end."""

    opened: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


class Stubborn(Action[Word, Word]):
    name: ClassVar[str] = "others.stubborn"
    code_version: ClassVar[str] = "7"
    effect: ClassVar[Effect] = Effect.WRITE
    literals: ClassVar[frozenset[str]] = frozenset({"word"})
    takes = Word
    gives = Word

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def wait_for(self, gate: Gate) -> None:
        """Have calls from now on wait for another one."""
        self._gate = gate

    def perform(self, arguments: Word, call: Call) -> Word:
        if arguments.word == "refuse":
            raise ActionFailedError("no", error_class="refused")
        self._gate.opened.wait()  # It knows nothing of the call's time.
        return Word(word=call.key)

    def plan(self, arguments: Word, call: Call) -> Plan:
        self._gate.opened.wait()
        return super().plan(arguments, call)

    def probe(self, arguments: Word, call: Call) -> Happened:
        del call
        if arguments.word == "quick":
            return Happened.NO
        if arguments.word == "overtaken":
            self._gate.opened.set()  # It has looked, and only now the effect happens.
            wait_for_what_was_left()
            return Happened.NO
        self._gate.opened.wait()
        return Happened.YES


def timed(gate: Gate) -> Timed:
    return Timed(Stubborn(gate), grace=0.0)


def wait_for_what_was_left(*, but: int = 0) -> None:
    """Return once all others that are at work in an action have ended, or all but so many."""
    here = threading.current_thread()
    acting = [one for one in threading.enumerate() if one.name == LEFT and one is not here]
    while sum(one.is_alive() for one in acting) > but:
        for one in acting:
            one.join(0.01)


def test_an_effect_that_does_not_end_is_in_doubt(gate: Gate, a_call: Calls) -> None:
    with pytest.raises(InDoubtError, match="did not end within") as caught:
        timed(gate).perform(Word(), a_call(timeout=0.05, effect=Effect.WRITE))

    assert caught.value.error_class == "left_running"


def test_a_read_or_a_plan_that_does_not_end_may_be_tried_again(gate: Gate, a_call: Calls) -> None:
    with pytest.raises(TransientReadError, match="did not end within"):
        timed(gate).perform(Word(), a_call(timeout=0.05, effect=Effect.READ))
    with pytest.raises(TransientReadError, match="did not end within"):
        timed(gate).plan(Word(), a_call(timeout=0.05))


def test_a_probe_that_does_not_end_knows_nothing(gate: Gate, a_call: Calls) -> None:
    assert timed(gate).probe(Word(), a_call(timeout=0.05)) is Happened.UNKNOWN


def test_while_it_may_still_act_nobody_says_that_it_did_not(gate: Gate, a_call: Calls) -> None:
    action, call = timed(gate), a_call(timeout=0.05, effect=Effect.WRITE)
    assert action.probe(Word(word="quick"), call) is Happened.NO
    with pytest.raises(InDoubtError):
        action.perform(Word(), call)
    assert action.probe(Word(word="quick"), call) is Happened.UNKNOWN

    gate.opened.set()
    wait_for_what_was_left()

    assert action.probe(Word(word="quick"), call) is Happened.NO


def test_an_earlier_attempt_that_may_still_act_counts_beside_a_later_one(
    gate: Gate, a_call: Calls
) -> None:
    later = Gate()
    stubborn = Stubborn(gate)
    action, call = Timed(stubborn, grace=0.0), a_call(timeout=0.05, effect=Effect.WRITE)
    for waits_for in (gate, later):
        stubborn.wait_for(waits_for)
        with pytest.raises(InDoubtError):
            action.perform(Word(), call)
    later.opened.set()
    wait_for_what_was_left(but=1)

    assert action.probe(Word(word="quick"), call) is Happened.UNKNOWN


def test_what_acts_after_the_probe_has_looked_is_not_said_to_be_undone(
    gate: Gate, a_call: Calls
) -> None:
    action = timed(gate)
    with pytest.raises(InDoubtError):
        action.perform(Word(), a_call(timeout=0.05, effect=Effect.WRITE))

    assert action.probe(Word(word="overtaken"), a_call(timeout=30.0)) is Happened.UNKNOWN


def test_what_ends_in_time_is_what_it_was(gate: Gate, a_call: Calls) -> None:
    gate.opened.set()
    action = timed(gate)

    assert action.perform(Word(), a_call(timeout=30.0)) == Word(word=a_call().key)
    assert action.probe(Word(), a_call(timeout=30.0)) is Happened.YES
    assert action.plan(Word(), a_call(timeout=30.0)).data == {"word": "go"}
    with pytest.raises(ActionFailedError, match="no"):
        action.perform(Word(word="refuse"), a_call(timeout=30.0))


def test_it_declares_what_the_action_declares(gate: Gate) -> None:
    action, inner = timed(gate), Stubborn(gate)

    for name in ("name", "code_version", "effect", "literals", "takes", "gives", "is_delivered"):
        assert getattr(action, name) == getattr(inner, name)
    assert action.effect_of({}) is Effect.WRITE
    assert action.describe(Word()) == inner.describe(Word())
