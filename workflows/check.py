"""Checks definition and policy files: form, meaning, and what deserves a second look.

This is what `interlock check` and the catalog call. Faults come back as values, all of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.check_calls import call_faults
from workflows.copies import copies
from workflows.definition import Definition
from workflows.definition_file import Document, read_document, unparsed
from workflows.fault import Fault
from workflows.loading import read_definition, read_policy
from workflows.policy import Policy
from workflows.read_before import NothingRead, ReadBefore
from workflows.step_scope import Actions
from workflows.text_files import text_or_fault

SUFFIXES = (".yaml", ".yml")
NOTHING = NothingRead()
TEST = ".test"  # NAME.test.yaml holds tests of a workflow and is none itself.


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found: the definitions that can be used, and everything to be said."""

    definitions: tuple[Definition, ...]
    faults: tuple[Fault, ...]
    files: Mapping[str, str]  # Where each of them stands, by name.

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Return the faults that stop a file from being used."""
        return tuple(one for one in self.faults if not one.is_warning)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Return what should be looked at."""
        return tuple(one for one in self.faults if one.is_warning)


def check(
    paths: Sequence[Path],
    actions: Actions,
    policy: Policy | None = None,
    *,
    is_known: Callable[[str], bool] = lambda _: False,
    before: ReadBefore = NOTHING,
) -> Report:
    """Return what stands in `paths`, files or folders, and everything wrong with it.

    Policy files among them are recognised by their `rules` and checked as such. With a
    `policy`, services and gates are checked against it. Of a version that `is_known` to be
    sound under this policy only what it says is read, and not even that where a text was read
    `before`. Whether versions go `together` may be known as well.
    """
    sound: list[tuple[Definition, Document]] = []
    faults: list[Fault] = []
    for path in files_in(paths):
        found, said = _check_file(path, actions, policy, is_known, before)
        faults += said
        sound += [found] if found is not None else []
    if not is_known(together(one for one, _ in sound)):
        told = _between(sound, actions)
        faults += told
        unusable = {one.file for one in told if not one.is_warning}
        sound = [one for one in sound if one[1].file not in unusable]
    return Report(
        definitions=tuple(one for one, _ in sound),
        faults=tuple(faults),
        files={one.workflow: document.file for one, document in reversed(sound)},
    )


def together(definitions: Iterable[Definition]) -> str:
    """Return what names these versions as a whole, in whatever order they are."""
    return hashlib.sha256("".join(sorted(one.version for one in definitions)).encode()).hexdigest()


def readable(
    paths: Sequence[Path], before: ReadBefore = NOTHING
) -> tuple[list[tuple[Definition, Document]], list[Fault]]:
    """Return the definitions in `paths` that can be read, and what keeps others from it."""
    found: list[tuple[Definition, Document]] = []
    faults: list[Fault] = []
    for path in files_in(paths):
        one, said = _check_file(path, {}, None, lambda _version: True, before)
        found += [one] if one is not None else []
        faults += said
    return found, faults


def check_text(
    text: str, file: str, actions: Actions, *, policy: Policy | None = None
) -> tuple[Definition | None, list[Fault]]:
    """Return the definition in `text`, unless something is wrong with it, and what is."""
    loaded = read_definition(text, file)
    if loaded.model is None:
        return None, list(loaded.faults)
    faults = _meaning_faults(loaded.model, loaded.document, actions, policy)
    is_sound = all(one.is_warning for one in faults)
    return (loaded.model if is_sound else None), faults


def files_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files themselves and the YAML files of the folders, each once, in order.

    Tests beside workflow files (`NAME.test.yaml`) are none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_inside(path) if path.is_dir() else [path]))
    return list(found)


def policies_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files themselves and those of the folders that are policies, each once.

    One that cannot be read may be a policy, and is among them.
    """
    named = {one for one in paths if not one.is_dir()}
    return [one for one in files_in(paths) if one in named or _holds_policy(one)]


def _holds_policy(path: Path) -> bool:
    text = text_or_fault(path)
    if isinstance(text, Fault):
        return True
    document = read_document(text, str(path))
    return _is_policy(document) or (document.value is None and bool(document.faults))


def _inside(folder: Path) -> list[Path]:
    """Return the workflow files of a folder, itself where it cannot be read: that is a fault."""
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return [folder]
    return [one for one in files if one.suffix in SUFFIXES and not is_test(one)]


def is_test(path: Path) -> bool:
    """Say whether a file holds tests, by its name."""
    return path.suffix in SUFFIXES and Path(path.stem).suffix == TEST


def schema() -> dict[str, Any]:
    """Return the JSON Schema of definition files, for editors."""
    made = Definition.model_json_schema(by_alias=True, mode="validation")
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Interlock workflow"
    return made


def _check_file(
    path: Path,
    actions: Actions,
    policy: Policy | None,
    is_known: Callable[[str], bool],
    before: ReadBefore,
) -> tuple[tuple[Definition, Document] | None, list[Fault]]:
    text = text_or_fault(path)
    if isinstance(text, Fault):
        return None, [text]
    recalled = before.recall(text)
    if recalled is not None and is_known(recalled.version):
        return (recalled, unparsed(str(path))), []
    loaded = read_definition(text, str(path), is_known=is_known)
    if _is_policy(loaded.document):
        return None, list(read_policy(text, str(path)).faults)
    if loaded.model is None:
        return None, list(loaded.faults)
    before.note(text, loaded.model)
    if is_known(loaded.model.version):
        return (loaded.model, loaded.document), []
    faults = _meaning_faults(loaded.model, loaded.document, actions, policy)
    is_sound = all(one.is_warning for one in faults)
    return ((loaded.model, loaded.document) if is_sound else None), faults


def _is_policy(document: Document) -> bool:
    value = document.value
    return isinstance(value, dict) and "rules" in value and "workflow" not in value


def _meaning_faults(
    definition: Definition, document: Document, actions: Actions, policy: Policy | None
) -> list[Fault]:
    from workflows.check_meaning import meaning_faults  # noqa: PLC0415 - not where all is known.

    return meaning_faults(definition, document, actions, policy)


def _between(found: Sequence[tuple[Definition, Document]], actions: Actions) -> list[Fault]:
    """Return what is wrong between definitions that are each sound."""
    told = _told_between(found, actions)
    about = {one.file for one in told}
    if not any(document.is_unparsed and document.file in about for _, document in found):
        return told
    # Without having been parsed, those have no lines for these faults to stand at.
    placed = [
        (one, _parsed(document) if document.file in about else document) for one, document in found
    ]
    return _told_between(placed, actions)


def _told_between(found: Sequence[tuple[Definition, Document]], actions: Actions) -> list[Fault]:
    return [
        *_same_names(found),
        *call_faults(found),
        *_hidden(found, actions),
        *copies(found),
    ]


def _parsed(document: Document) -> Document:
    text = text_or_fault(Path(document.file)) if document.is_unparsed else document
    return read_document(text, document.file) if isinstance(text, str) else document


def _hidden(found: Sequence[tuple[Definition, Document]], actions: Actions) -> Iterator[Fault]:
    if any(definition.starts for definition, _ in found):
        from workflows.hidden import hidden_faults  # noqa: PLC0415 - only for what starts others.

        yield from hidden_faults(found, actions)


def _same_names(found: Sequence[tuple[Definition, Document]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for definition, document in found:
        name = definition.workflow
        if name in first:
            what = f"{first[name]} already holds a workflow called {name}"
            yield document.fault(("workflow",), what, "one canonical definition for each name")
        first.setdefault(name, document.file)
