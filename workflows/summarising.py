"""Writing a run's summary down once it has ended, as an entry of its own; anew as people go on."""

from datetime import timedelta

from workflows.binding import json_bytes
from workflows.entry import INTERLOCK, Draft, Json, Part, PartClass, Ref, RunId
from workflows.house import House
from workflows.store import Due, DueKind, Unit
from workflows.summary import Story, as_json, basis_of, summarise

QUIET = timedelta(minutes=1)


def write_summary(house: House, due: Due) -> None:
    """Write the summary that `due` asks for; another process may have been first."""
    definition = house.definitions.version(house.store.run(due.run).version)
    with house.store.begin() as unit:
        unit.lock_run(due.run)
        if not unit.take_due(due):
            return
        story = Story(
            definition=definition,
            entries=unit.entries(due.run),
            messages=unit.thread_messages(due.run),
            name_of=lambda ref: unit.name(Ref(ref)),
        )
        sentences = summarise(story)
        text = house.redact(json_bytes(as_json(story, sentences)).decode())
        data: dict[str, Json] = {
            "by_run": due.run,
            "method": "extract",
            "basis": basis_of(sentences),
        }
        part = Part(value=text.encode(), cls=PartClass.DERIVED)
        unit.append(
            Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part})
        )


def sum_up_again(unit: Unit, run: RunId) -> None:
    """Have the summary of a run that ended written anew, once its thread has been quiet a while.

    Of a run that goes on it is written at its end.
    """
    row = unit.lock_run(run)
    if row.status.is_end:
        unit.set_due(Due(kind=DueKind.SUMMARISE, key=run, run=run, at=unit.now + QUIET))
