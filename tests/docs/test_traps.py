"""No trap of Slack is without a test that names it."""

import re
from pathlib import Path

import tests.journeys.traps
from tests.journeys.traps import TRAPS

TESTS = Path(tests.journeys.traps.__file__).parents[1]
MARK = re.compile(r"mark\.trap\((\d+)\)")


def covered() -> set[int]:
    texts = [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")]
    return {int(number) for text in texts for number in MARK.findall(text)}


def test_every_trap_is_named_by_a_test_that_proves_it() -> None:
    assert sorted(TRAPS) == list(range(1, 37))
    assert covered() == set(TRAPS)
