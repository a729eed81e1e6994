"""Reads test files: which there are, what they say, and what is wrong with them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from workflows.check import SUFFIXES, is_test
from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.fault import Fault, Place, suggestion
from workflows.instances import step_of
from workflows.loading import Loaded, read_as
from workflows.rehearsal.form import Play
from workflows.rehearsal.tape import OPTIONS

FOLDER = "tests"


def is_test_file(path: Path) -> bool:
    """Say whether a file is a test, by its name or by the folder it lies in."""
    return is_test(path) or (path.parent.name == FOLDER and path.suffix in SUFFIXES)


def files_of_tests(paths: Sequence[Path]) -> list[Path]:
    """Return the test files in `paths`, each once: files themselves, and those in folders.

    A folder's own tests lie in it or in its folder `tests`.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = [*path.iterdir(), *(path / FOLDER).glob("*")] if path.is_dir() else [path]
        chosen = [one for one in inside if one.is_file() and (is_test_file(one) or one == path)]
        found.update(dict.fromkeys(sorted(chosen)))
    return list(found)


def tested_folder(file: Path) -> Path:
    """Return the folder of the workflow files that a test file is about."""
    here = file.resolve().parent
    return here.parent if here.name == FOLDER else here


def read_play(text: str, file: str) -> Loaded[Play]:
    """Return the test file in `text`, with everything wrong with its form."""
    return read_as(text, file, Play)


def play_faults(play: Play, document: Document, definitions: Iterable[Definition]) -> list[Fault]:
    """Return where a test file names what is not there."""
    known = {one.workflow: one for one in definitions}
    if play.workflow not in known:
        right = suggestion(play.workflow, known)
        return [document.fault(("workflow",), "is no sound workflow beside this test", right)]
    faults = [
        fault
        for path, name in _named(play)
        if (fault := _step_fault(document, path, name, known, play.workflow)) is not None
    ]
    return [*faults, *_same_names(play, document)]


def _step_fault(
    document: Document, path: Place, name: str, known: dict[str, Definition], main: str
) -> Fault | None:
    workflow, dot, step = name.rpartition(".")
    definition = known.get(workflow if dot else main)
    at_key = path[-1] == name
    if definition is None:
        right = suggestion(workflow, known)
        return document.fault(path, f"names no workflow {workflow!r}", right, at_key=at_key)
    if step_of(step) in definition.outline or name == OPTIONS:
        return None
    right = suggestion(step_of(step), definition.outline)
    return document.fault(path, f"names no step {step_of(step)!r}", right, at_key=at_key)


def _named(play: Play) -> Iterator[tuple[Place, str]]:
    """Yield every place at which a step is named."""
    yield from ((("answers", name), name) for name in play.answers)
    for number, case in enumerate(play.tests):
        here: Place = ("tests", number)
        yield from (((*here, "answers", name), name) for name in case.answers)
        for at, decision in enumerate(case.decisions):
            yield (*here, "decisions", at, "step"), decision.step
        expected = case.expect
        if expected is None:
            continue
        for field in ("steps", "skipped", "effects"):
            names = getattr(expected, field) or ()
            yield from (((*here, "expect", field, at), one) for at, one in enumerate(names))
        for field in ("arguments", "outputs"):
            names = getattr(expected, field)
            yield from (((*here, "expect", field, name), name) for name in names)
        for at, gate in enumerate(expected.gates or ()):
            yield (*here, "expect", "gates", at, "step"), gate.step


def _same_names(play: Play, document: Document) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, case in enumerate(play.tests):
        if case.name in seen:
            path: Place = ("tests", number, "name")
            yield document.fault(path, "another test is called so too", "give each its own name")
        seen.add(case.name)
