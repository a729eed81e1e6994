"""A story says what the log still holds: of what was erased no sentence is left half."""

from datetime import UTC, datetime

import pytest

from tests.world import definition_in
from workflows.entry import Actor, ActorKind, Entry, Json, PartClass, RunId, StoredPart
from workflows.summary import Story, summarise

ASKS = """
workflow: look
title: Look
owner: "@ops"
deputy: "@leads"
steps:
  - {id: q, ask: {of: ["@ops"], question: Why?, fields: {f: {type: string}}}}
"""
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
GONE = StoredPart(cls=PartClass.CONTENT, commitment="c", value=None, salt=None)


@pytest.mark.parametrize(
    ("kind", "data", "part", "told"),
    [
        (
            "approval.requested",
            {"step": "q", "stages": [{"from": ["@leads", "@ops"]}, {"from": ["@ops"]}]},
            "preview",
            "Approval was asked of @leads, @ops.",
        ),
        (
            "question.asked",
            {"step": "q", "from": ["@ops"]},
            "preview",
            "@ops were asked a question.",
        ),
        ("question.answered", {"step": "q"}, "comment", "Rita answered."),
    ],
)
def test_what_was_erased_leaves_no_half_sentence(
    kind: str, data: dict[str, Json], part: str, told: str
) -> None:
    entry = Entry(
        id="e",
        index=1,
        run=RunId("r"),
        rseq=1,
        at=NOON,
        kind=kind,
        actor=Actor(kind=ActorKind.USER, ref="s:rita"),
        data=data,
        parts={part: GONE},
    )
    story = Story(
        definition=definition_in(ASKS), entries=[entry], messages=[], name_of=lambda _: "Rita"
    )

    assert [one.text for one in summarise(story)] == [told]
