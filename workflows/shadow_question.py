"""What people are asked where a run in shadow would have had an effect, and how they answer."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from workflows.definition import Definition
from workflows.definition_flow import Ask, Question
from workflows.entry import Json
from workflows.errors import InputsError
from workflows.instances import step_of
from workflows.unseen import is_blank

OPEN_FOR: Final = timedelta(days=7)
DID, WHY = "did", "why"


class Did(StrEnum):
    """What people did by hand, held against what the run would have done."""

    SAME = "same"
    DIFFERS = "differs"


def asked_form(definition: Definition, name: str) -> Ask:
    """Return the question of a step: its own, or that of an effect of a run in shadow."""
    form = definition.form(name)
    if isinstance(form, Ask):
        return form
    return shadow_form(step_of(name), (definition.owner, definition.deputy))


def shadow_form(step: str, people: tuple[str, ...]) -> Ask:
    """Return the question that stands in the place of an effect."""
    fields = {
        DID: {
            "type": "enum",
            "title": "What was done by hand, held against this",
            "choices": tuple(one.value for one in Did),
        },
        WHY: {
            "type": "string",
            "title": "What was different, and why",
            "required": False,
            "multiline": True,
            "max_length": 500,
        },
    }
    told = {"of": people, "question": "What was done by hand?", "fields": fields}
    asked = Question.model_validate(told).model_copy(update={"expires": OPEN_FOR})
    return Ask(id=step, ask=asked)


def did_in(values: Mapping[str, Json]) -> Did:
    """Return what somebody answered.

    Raises:
        InputsError: it was different, and nobody said how.
    """
    did = Did(str(values[DID]))
    if did is Did.DIFFERS and is_blank(str(values.get(WHY) or "")):
        raise InputsError({WHY: "say what was different, and why"})
    return did
