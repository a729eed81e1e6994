"""Draws the questions that a run puts to people, from the entries that asked and answered."""

from bot.run_reading import RunRead, RunReader, part_json
from bot.views.question_card import QuestionAnswered, QuestionCard
from workflows.definition_inputs import Input
from workflows.entry import Entry, Json
from workflows.errors import DefinitionError
from workflows.input_words import in_words
from workflows.moments import moment
from workflows.run import Phase, Status
from workflows.shadow_question import asked_form


def question_of(read: RunRead, key: str, reader: RunReader) -> QuestionCard | None:
    """Return the question that `run/request` names; None if there is none, or it was erased."""
    request = key.rpartition("/")[2]
    asked = _about(read, "question.asked", request)
    preview = part_json(asked, "preview") if asked is not None else None
    if asked is None or not isinstance(preview, dict):
        return None
    groups = asked.data.get("from")
    known = reader.named(map(str, groups) if isinstance(groups, list) else ())
    step = str(asked.data["step"])
    return QuestionCard(
        run=read.id,
        request=request,
        step=step,
        title=read.title,
        question=str(preview.get("question", "")),
        asked=tuple(known.values()),
        requester=read.requester,
        expires=moment(str(asked.data["expires"])),
        answered=_answered(read, step, request),
        is_over=not _is_open(read, step, request),
        ended=_ended(read, step, request),
    )


def _about(read: RunRead, kind: str, request: str) -> Entry | None:
    return next((one for one in read.of_kind(kind) if one.data["request"] == request), None)


def _is_open(read: RunRead, step: str, request: str) -> bool:
    state = read.state.step(step)
    waits = state.phase is Phase.QUESTIONED and state.request == request
    return waits and read.state.goes_on


def _ended(read: RunRead, step: str, request: str) -> Status | None:
    """Return how the run ended while it still asked, or will; None if it asked for too long."""
    state = read.state.step(step)
    asked = state.phase is Phase.QUESTIONED and state.request == request
    if not asked or read.state.goes_on:
        return None
    return read.state.ended or (Status.CANCELLED if read.state.cancel_asked else Status.ABORTED)


def _answered(read: RunRead, step: str, request: str) -> QuestionAnswered | None:
    found = _about(read, "question.answered", request)
    by = read.who(found.actor) if found is not None else None
    if found is None or by is None:
        return None
    values = part_json(found, "comment")
    said = values.items() if isinstance(values, dict) else ()
    return QuestionAnswered(
        by=by,
        at=found.at,
        said=tuple(_said(read, step, name, value) for name, value in said if value is not None),
    )


def _field(read: RunRead, step: str, name: str) -> Input | None:
    try:
        form = asked_form(read.definition, step)
    except DefinitionError:
        return None
    return form.ask.fields.get(name)


def _said(read: RunRead, step: str, name: str, value: Json) -> tuple[str, str]:
    spec = _field(read, step, name)
    title = (spec.title if spec is not None else None) or name
    return title, in_words(value, spec)
