"""What each entry says in a line; of most kinds the journeys and the pages of docs/ show it."""

import pytest

from bot.entry_words import words_about
from tests.bot.shown import NOON
from workflows.entry import INTERLOCK, Entry, Json, RunId


def said(kind: str, **data: Json) -> str:
    return words_about(
        Entry(
            id="e", index=1, run=RunId("r"), rseq=1, at=NOON, kind=kind, actor=INTERLOCK, data=data
        )
    )


@pytest.mark.parametrize(
    ("words", "kind", "data"),
    [
        (
            "Said that the run is to end",
            "decision.made",
            {"step": "pay/2", "decision": "cancel", "rule": "person"},
        ),
        (
            "The run is to end",
            "decision.made",
            {"step": "", "decision": "cancel", "rule": "parent"},
        ),
        ("pay: skip (when)", "decision.made", {"step": "pay", "decision": "skip", "rule": "when"}),
        ("Ended: cancelled", "run.cancelled", {"step": None, "reason": "cancelled"}),
        (
            "Ended: cancelled. The run that it was a part of has ended.",
            "run.cancelled",
            {"step": None, "reason": "parent_ended"},
        ),
        ("Ended: rejected", "run.finished", {"outcome": "denied"}),
        (
            "The request was withdrawn. The run was cancelled.",
            "approval.withdrawn",
            {"reason": "cancelled"},
        ),
        ("The request was withdrawn: rule_gone", "approval.withdrawn", {"reason": "rule_gone"}),
        ("approval.granted", "approval.granted", {}),  # Of another release: told by its kind.
    ],
)
def test_an_entry_is_a_line_in_words(words: str, kind: str, data: dict[str, Json]) -> None:
    assert said(kind, **data) == words
