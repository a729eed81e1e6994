"""Which arguments mean the same as those that were denied before, and how long that sticks."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from tests.world import NOON, policy_in
from workflows.actions.base import Action, Call, Effect, Model
from workflows.denials import is_same, memory
from workflows.policy_facts import Facts


class Change(Model):
    name: str
    by: int = 1


class ChangeIt(Action[Change, Change]):
    name: ClassVar[str] = "change"
    effect: ClassVar[Effect] = Effect.WRITE
    takes = Change
    gives = Change

    def perform(self, arguments: Change, call: Call) -> Change:
        del call
        return arguments


@pytest.mark.parametrize(
    ("denied", "same"),
    [
        (b'{"name":"a"}', True),
        (b'{"by":1,"name":"a"}', True),  # A default, written out.
        (b'{"by":2,"name":"a"}', False),
        (b'{"name":"b"}', False),
        (b'{"title":"a"}', False),  # Of a release in which the action took others.
        (b'["a"]', False),
    ],
)
def test_a_default_written_out_or_left_out_makes_no_other_intent(
    denied: bytes, *, same: bool
) -> None:
    ready: Any = SimpleNamespace(
        action=ChangeIt(), args={"name": "a"}, arguments=Change(name="a", by=1)
    )

    assert is_same(ready, denied) is same


@pytest.mark.parametrize(
    ("when", "days"),
    [
        ('workflow == "w"', 9),
        ('workflow == "other"', 7),
        ("inputs.missing > 1", 9),  # What cannot be evaluated counts as true.
    ],
)
def test_a_denial_sticks_as_long_as_the_longest_of_all_that_is_about_it(
    when: str, days: int
) -> None:
    rules = "".join(
        f"  - {{name: r{one}, when: {when}, stages: [{{from: ['@a']}}], sticky: {one}d}}\n"
        for one in (9, 3)
    )
    policy = policy_in(f"defaults: {{expires: 24h, sticky: 7d}}\nrules:\n{rules}")
    facts = Facts(
        effect=Effect.WRITE, workflow="w", step="s", action="a", requester="@rita", at=NOON
    )

    assert memory(policy, facts) == timedelta(days=days)
