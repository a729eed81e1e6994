"""What asks a key service beside everything else, and holds nothing else back."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bot.clock_parts import catalog_watch_of, clock_of, self_check_of
from bot.secret_sources.held import HeldSecrets
from bot.secret_watch import SecretWatch
from tests.bot.catalog import Office
from workflows.redaction import MARK, Redactor
from workflows.secret_book import Found

VALUE = "sesame-sesame-0192"
PATIENCE = 60.0


class Slow:
    """A source on this machine whose key service answers when it is let."""

    name = "slow"

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()

    def find(self, name: str) -> Found | None:
        del name
        self.is_asked.set()
        self.may_answer.wait(PATIENCE)
        return Found(value=VALUE, version=1)

    def names(self) -> Iterable[str]:
        return ("shop",)


def test_timers_and_schedules_go_on_while_a_key_service_does_not_answer(tmp_path: Path) -> None:
    office, slow = Office(tmp_path), Slow()
    slow.may_answer.set()  # A clock that asks is not to hang this test.
    held = HeldSecrets([slow], Redactor())
    core = replace(office.core, secrets=held)
    clock_of(core, office.town, self_check_of(core), catalog_watch_of(core, office.town)).look()
    core.memory.database.close()

    assert not slow.is_asked.is_set()


def test_a_value_that_came_meanwhile_is_learnt() -> None:
    slow, redact = Slow(), Redactor()
    watch = SecretWatch(HeldSecrets([slow], redact), every=0.001)
    watch.start()
    asked = slow.is_asked.wait(PATIENCE)
    before = redact(VALUE)
    slow.may_answer.set()
    slow.is_asked.clear()
    slow.is_asked.wait(PATIENCE)  # Asked once more, it has learnt what it was told.
    watch.stop()

    assert asked
    assert (before, redact(VALUE)) == (VALUE, MARK)
