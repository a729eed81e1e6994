"""Writing a run's summary down once it has ended, as an entry of its own; anew as people go on."""

from collections.abc import Sequence
from datetime import timedelta

from workflows.definition import Definition
from workflows.entry import INTERLOCK, Draft, Json, Part, PartClass, Ref, RunId
from workflows.house import House
from workflows.redacted_json import redacted_json
from workflows.store import Due, DueKind, Unit
from workflows.summary import Sentence, Story, as_json, basis_of, summarise

QUIET = timedelta(minutes=1)
FEWEST_RETOLD = 5  # Sentences of a story that a model could make shorter.


def write_summary(house: House, due: Due) -> None:
    """Write the summary that `due` asks for; another process may have been first.

    Where there is a language model, it is to tell the story anew (`retelling`).
    """
    definition = definition_of(house, due.run)
    with house.store.begin() as unit:
        unit.lock_run(due.run)
        if not unit.take_due(due):
            return
        story = story_of(unit, due.run, definition)
        sentences = summarise(story)
        keep_summary(house, unit, due.run, story=story, sentences=sentences)
        if house.retells is not None and len(sentences) >= FEWEST_RETOLD:
            unit.set_due(Due(kind=DueKind.RETELL, key=due.run, run=due.run, at=unit.now))


def definition_of(house: House, run: RunId) -> Definition:
    """Return the definition that a run is bound to; it is read before a unit begins."""
    return house.definitions.version(house.store.run(run).version)


def story_of(unit: Unit, run: RunId, definition: Definition) -> Story:
    """Return everything that the summary of a run is written from."""
    return Story(
        definition=definition,
        entries=unit.entries(run),
        messages=unit.thread_messages(run),
        name_of=lambda ref: unit.name(Ref(ref)),
    )


def keep_summary(
    house: House,
    unit: Unit,
    run: RunId,
    *,
    story: Story,
    sentences: Sequence[Sentence],
    model: str = "",
) -> None:
    """Write the entry; with `model`, the sentences are in its words, and labelled."""
    text = redacted_json(as_json(story, sentences, model=model), house.redact)
    data: dict[str, Json] = {
        "by_run": run,
        "method": "model" if model else "extract",
        "basis": basis_of(sentences),
    }
    part = Part(value=text.encode(), cls=PartClass.DERIVED)
    unit.append(Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part}))


def sum_up_again(unit: Unit, run: RunId) -> None:
    """Have the summary of a run that ended written anew, once its thread has been quiet a while.

    Of a run that goes on it is written at its end.
    """
    row = unit.lock_run(run)
    if row.status.is_end:
        unit.set_due(Due(kind=DueKind.SUMMARISE, key=run, run=run, at=unit.now + QUIET))
