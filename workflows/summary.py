"""The story of one run in sentences, each with the entries it rests on.

Extractive: every sentence restates entries, or quotes what a person wrote in the thread. No
model, no guess; whoever doubts a sentence can look its entries up.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workflows.definition import Definition
from workflows.definition_inputs import Input
from workflows.entry import Entry, Json
from workflows.input_words import in_words
from workflows.instances import items_of, step_of
from workflows.run import LEFT, UNTOLD
from workflows.shadow_question import asked_form
from workflows.store import ThreadMessage
from workflows.superseded import changed_by
from workflows.telling import is_routine

LONGEST_QUOTE = 200
MOST_QUOTES = 8
MOST_WORDS = 16_000  # Of a thread, that are searched beside what is quoted.
MOST_TOLD = 200  # Facts told one by one; an entry holds 16 KiB, and nobody reads more.

NameOf = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One statement; `basis` are entries by `rseq`, `message` a quoted message's timestamp."""

    text: str
    basis: tuple[int, ...] = ()
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything a summary is written from."""

    definition: Definition
    entries: Sequence[Entry]
    messages: Sequence[ThreadMessage]
    name_of: NameOf


def summarise(story: Story) -> list[Sentence]:
    """Return the run's story in order: who asked, what was decided, what happened, how it ended."""
    told = [one for entry in story.entries for one in _about(story, entry)]
    return [*_shortened(told), *_loops(story), *_quotes(story)]


def _shortened(told: Sequence[Sentence]) -> Iterator[Sentence]:
    """Yield the beginning and the end of a long story, and how much is left out."""
    left = len(told) - MOST_TOLD
    if left <= 0:
        yield from told
        return
    yield from told[: MOST_TOLD // 2]
    yield Sentence(text=f"{left} more facts stand in the log.")
    yield from told[-MOST_TOLD // 2 :]


def _loops(story: Story) -> Iterator[Sentence]:
    """Yield one sentence for each loop: how many items there were and how many failed."""
    for entry in story.entries:
        if entry.data.get("action") == "foreach" and entry.data.get("outcome") == "ok":
            yield Sentence(text=_loop(story, entry), basis=(entry.rseq,))


def _loop(story: Story, entry: Entry) -> str:
    count, loop = entry.data.get("count", 0), str(entry.data["step"])
    left = len({one for name in _left(story) if (one := _item(story, loop, name)) is not None})
    failed = f", {left} failed and were left behind" if left else ""
    return f"“{_step(story, entry)}” went over {count} items{failed}."


def _left(story: Story) -> Iterator[str]:
    return (str(one.data["step"]) for one in story.entries if one.data.get("rule") == LEFT)


def _item(story: Story, loop: str, name: str) -> tuple[int, ...] | None:
    """Return which item of a loop was left behind with an instance; None if another loop left it.

    That is the nearest around it that goes on without an item.
    """
    node = story.definition.outline.get(step_of(name))
    goes_on = [] if node is None else [one.id for one in node.loops if one.goes_on]
    around, depth = items_of(loop), len(items_of(loop)) + 1
    if goes_on[-1:] != [step_of(loop)] or items_of(name)[: depth - 1] != around:
        return None
    return items_of(name)[:depth]


def as_json(story: Story, sentences: Sequence[Sentence], *, model: str = "") -> Json:
    """Return a summary as the JSON that its part holds; `words` are only searched.

    Where a `model` wrote the sentences, those that restate the entries are what is searched, so
    that no hit shows a model's words.
    """
    told: list[Json] = [
        {"text": _storable(one.text), "basis": list(one.basis), "message": one.message}
        for one in sentences
    ]
    restated = (one.text for one in summarise(story)) if model else ()
    words = " ".join((*restated, story.definition.workflow, *_unquoted(story)))
    whole: dict[str, Json] = {
        "title": story.definition.title,
        "sentences": told,
        "words": _storable(words),
    }
    return {**whole, "model": model} if model else whole


def _storable(text: str) -> str:
    """Return a text without the one character that Postgres keeps in no text."""
    return text.replace("\0", "\ufffd")


def _unquoted(story: Story) -> Iterator[str]:
    """Yield what people wrote in the thread that no sentence quotes, and not without end."""
    left = MOST_WORDS
    for number, one in enumerate(story.messages):
        flat = " ".join(one.text.split())
        if (number >= MOST_QUOTES or len(flat) > LONGEST_QUOTE) and left > 0:
            yield flat[:left]
            left -= len(flat)


def basis_of(sentences: Sequence[Sentence]) -> list[Json]:
    """Return every entry that some sentence rests on, in order, each once."""
    return [*sorted({number for one in sentences for number in one.basis})]


def _about(story: Story, entry: Entry) -> Iterator[Sentence]:
    teller = None if is_routine(entry) else _TELLERS.get(entry.kind)
    text = teller(story, entry) if teller is not None else ""
    if text:
        yield Sentence(text=text, basis=(entry.rseq,))


def _started(story: Story, entry: Entry) -> str:
    who = story.name_of(entry.actor.ref) if entry.actor.is_person else f"The {entry.actor.kind}"
    inputs = _inputs(story.definition, entry)
    given = f" with {inputs}" if inputs else ""
    shadow = " in shadow" if entry.data.get("shadow") is True else ""
    return f"{who} started “{story.definition.title}”{shadow} on {_day(entry.at)}{given}."


def _inputs(definition: Definition, entry: Entry) -> str:
    part = entry.parts.get("input")
    values: Mapping[str, Json] = json.loads(part.value) if part and part.value else {}
    named = [
        f"{definition.inputs[name].title or name} {in_words(value, definition.inputs[name])}"
        for name, value in values.items()
        if value is not None and name in definition.inputs
    ]
    return ", ".join(named)


def _observed(story: Story, entry: Entry) -> str:
    if entry.data["outcome"] == "ok":
        return ""
    step = _step(story, entry)
    return f"Reading “{step}” failed on attempt {entry.data['attempt']} ({_class(entry)})."


def _decided(story: Story, entry: Entry) -> str:
    who = story.name_of(entry.actor.ref) if entry.actor.is_person else "Interlock"
    words = _words(entry, "reason")
    because = f": {words}" if words else "."
    match entry.data["decision"]:
        case "skip":
            why = _WHY_SKIPPED.get(str(entry.data["rule"]), "")
            return f"“{_step(story, entry)}” was skipped {why}".rstrip() + "."
        case "exception":
            return f"“{_step(story, entry)}” needed a person{because}"
        case "retry" | "abort" | "undo" | "cancel" as answer:
            said = f"{_saying(entry, 'reason')}." if entry.actor.is_person else because
            return f"{who} {_DONE[answer]}{said}"
        case "queue":
            return "It waited for another run that held its lock."
        case "hold":
            return f"“{_step(story, entry)}” had to wait{because}"
        case "auto_approved":
            return f"“{_step(story, entry)}” needed nobody, by “{entry.data['rule']}”{because}"
    return ""


_WHY_SKIPPED = {
    "when": "because its condition was not true",
    LEFT: "because its item had failed",
    UNTOLD: "because nothing could be told of it in shadow",
}
_DONE = {
    "retry": "had it tried again",
    "abort": "aborted it",
    "undo": "aborted it and wanted taken back what could be",
    "cancel": "cancelled it",
}


def _waited(story: Story, entry: Entry) -> str:
    step, child = _step(story, entry), entry.data.get("child")
    if child is not None:
        return f"“{step}” started a run of {entry.data.get('workflow')}."
    ended = (one for one in story.entries if one.kind == "wait.ended" and one.rseq > entry.rseq)
    is_over = any(one.data["step"] == entry.data["step"] for one in ended)
    until = _day(datetime.fromisoformat(str(entry.data["until"])))
    return f"“{step}” {'waited' if is_over else 'was to wait'} until {until}."


def _questioned(_story: Story, entry: Entry) -> str:
    asked = entry.data.get("from")
    groups = ", ".join(map(str, asked)) if isinstance(asked, list) else "people"
    question = _shown(entry).get("question")
    return f"{groups} were asked{f': “{_clipped(str(question))}”' if question else ' a question.'}"


def _replied(story: Story, entry: Entry) -> str:
    part = entry.parts.get("comment")
    values = json.loads(part.value) if part and part.value else {}
    fields = _fields(story, entry)
    said = ", ".join(
        f"{name} {in_words(value, fields.get(name))}"
        for name, value in values.items()
        if value is not None
    )
    return f"{story.name_of(entry.actor.ref)} answered{f': {_clipped(said)}' if said else ''}."


def _fields(story: Story, entry: Entry) -> Mapping[str, Input]:
    return asked_form(story.definition, str(entry.data["step"])).ask.fields


def _requested(_story: Story, entry: Entry) -> str:
    shown = _shown(entry)
    stages: Any = shown.get("stages") or entry.data["stages"]
    asked = ", ".join(dict.fromkeys(name for stage in stages for name in stage["from"]))
    headline = shown.get("headline")
    return f"Approval was asked of {asked}{f' for: {headline}' if headline else ''}."


def _answered(story: Story, entry: Entry) -> str:
    who, place = story.name_of(entry.actor.ref), entry.data.get("for")
    if isinstance(place, str):
        who = f"{who} (for {story.name_of(place)})"
    verb = "approved" if entry.kind == "approval.granted" else "rejected"
    said = _saying(entry, "comment")
    return f"{who} {verb} it{said} ({entry.data['have']} of {entry.data['need']})."


def _escalated(_story: Story, entry: Entry) -> str:
    groups = entry.data.get("groups")
    named = ", ".join(map(str, groups)) if isinstance(groups, list) else "more people"
    return f"Nobody had decided, so {named} could decide too."


def _broke_glass(story: Story, entry: Entry) -> str:
    who, said = story.name_of(entry.actor.ref), _saying(entry, "reason")
    return f"{who} broke the glass and decided alone{said}."


def _expired(_story: Story, entry: Entry) -> str:
    return f"Nobody decided in time: {entry.data['have']} of {entry.data['need']} had approved."


def _withdrawn(_story: Story, entry: Entry) -> str:
    return f"The approval became void ({str(entry.data['reason']).replace('_', ' ')})."


def _edited(story: Story, entry: Entry) -> str:
    who = story.name_of(entry.actor.ref)
    changes = ", ".join(changed_by(story.definition, story.entries, entry))
    return f"{who} changed what was asked: {_clipped(changes) or 'the values were erased'}."


def _moved(story: Story, entry: Entry) -> str:
    who, said = story.name_of(entry.actor.ref), _saying(entry, "reason")
    before, after = (str(entry.data[name])[:8] for name in ("from", "to"))
    return f"{who} put it on version {after} instead of {before}{said}."


def _executed(story: Story, entry: Entry) -> str:
    return f"“{_step(story, entry)}” was carried out in {entry.data['ms']} ms."


def _failed(story: Story, entry: Entry) -> str:
    words = _words(entry, "reason")
    why = f": {words}" if words else f" ({_class(entry)})."
    return f"“{_step(story, entry)}” failed{why}"


def _in_doubt(story: Story, entry: Entry) -> str:
    return f"Whether “{_step(story, entry)}” had happened was in doubt ({entry.data['cause']})."


def _resolved(story: Story, entry: Entry) -> str:
    said = {"yes": "it had happened", "no": "it had not happened", "unknown": "nobody knows"}
    who = story.name_of(entry.actor.ref) if entry.actor.is_person else "A check"
    return f"{who} settled that: {said[str(entry.data['happened'])]}."


def _verified(story: Story, entry: Entry) -> str:
    result = entry.kind.removeprefix("verification.")
    said = {"passed": "was verified", "failed": "did not show", "unknown": "could not be verified"}
    return f"The effect of “{_step(story, entry)}” {said[result]}."


def _finished(story: Story, entry: Entry) -> str:
    took = entry.at - story.entries[0].at
    return f"The run ended {entry.data['outcome']} after {_length(took)}."


def _cancelled(story: Story, entry: Entry) -> str:
    return f"The run was cancelled after {_length(entry.at - story.entries[0].at)}."


_TELLERS: Mapping[str, Callable[[Story, Entry], str]] = {
    "run.started": _started,
    "wait.started": _waited,
    "question.asked": _questioned,
    "question.answered": _replied,
    "step.observed": _observed,
    "decision.made": _decided,
    "approval.requested": _requested,
    "approval.escalated": _escalated,
    "approval.granted": _answered,
    "approval.denied": _answered,
    "break_glass.used": _broke_glass,
    "approval.expired": _expired,
    "approval.withdrawn": _withdrawn,
    "approval.edited": _edited,
    "run.moved": _moved,
    "action.executed": _executed,
    "action.failed": _failed,
    "action.in_doubt": _in_doubt,
    "action.resolved": _resolved,
    "verification.passed": _verified,
    "verification.failed": _verified,
    "verification.unknown": _verified,
    "run.finished": _finished,
    "run.cancelled": _cancelled,
}


def _quotes(story: Story) -> Iterator[Sentence]:
    for one in story.messages[:MOST_QUOTES]:
        yield Sentence(text=f"{one.author} wrote: “{_clipped(one.text)}”", message=one.ts)
    left = len(story.messages) - MOST_QUOTES
    if left > 0:
        yield Sentence(text=f"{left} more messages stand in the thread.")


def _step(story: Story, entry: Entry) -> str:
    return story.definition.shown(str(entry.data["step"]))


def _class(entry: Entry) -> str:
    return str(entry.data.get("error_class") or "error").replace("_", " ")


def _shown(entry: Entry) -> Mapping[str, Any]:
    """Return what people were shown, nothing of it where it is no longer held."""
    part = entry.parts.get("preview")
    found: Mapping[str, Any] = json.loads(part.value) if part and part.value else {}
    return found


def _saying(entry: Entry, part: str) -> str:
    """Quote what a person gave as the reason: unquoted it would read as said by the log."""
    words = _words(entry, part)
    return f", saying “{words}”" if words else ""


def _words(entry: Entry, part: str) -> str:
    found = entry.parts.get(part)
    return _clipped(found.value.decode()) if found and found.value else ""


def _clipped(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_QUOTE else flat[: LONGEST_QUOTE - 1] + "…"


def _day(at: datetime) -> str:
    return f"{at:%d %B %Y at %H:%M} UTC"


def _length(took: timedelta) -> str:
    seconds = int(took.total_seconds())
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
