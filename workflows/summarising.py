"""Writing a run's summary down once it has ended, as an entry of its own."""

from workflows.binding import json_bytes
from workflows.entry import INTERLOCK, Draft, Json, Part, PartClass, Ref
from workflows.house import House
from workflows.store import Due
from workflows.summary import Story, as_json, basis_of, summarise


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
        text = house.redact(json_bytes(as_json(definition, sentences)).decode())
        data: dict[str, Json] = {
            "by_run": due.run,
            "method": "extract",
            "basis": basis_of(sentences),
        }
        part = Part(value=text.encode(), cls=PartClass.DERIVED)
        unit.append(
            Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part})
        )
