"""Plays the tests of workflow files, each in a house of its own, and says what came of them."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.rehearsal.finding import Finding, in_order
from bot.rehearsal.ground import Ground
from bot.rehearsal.house import Given, SetClock, rehearsal_of
from bot.rehearsal.playing import CHANNEL, Player
from storage.rows import DatabaseRows
from storage.store import SqlStore
from workflows.actions.registry import all_actions
from workflows.check import Report, check
from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.entry import Json, RunId
from workflows.errors import DefinitionError, InterlockError
from workflows.fault import Fault
from workflows.loading import read_policy, read_text
from workflows.orders import Start
from workflows.policy import Policy
from workflows.rehearsal.comparing import Difference, differences
from workflows.rehearsal.form import MONDAY_NOON, Case, Play
from workflows.rehearsal.people import Believing, Cast, id_of
from workflows.rehearsal.reading import play_faults, read_play, tested_folder
from workflows.rehearsal.recorded import Recorded
from workflows.rehearsal.tape import Tape
from workflows.services import Services
from workflows.step_scope import Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one test; without differences it passed."""

    file: str
    workflow: str
    name: str
    line: int
    seconds: float
    differences: tuple[tuple[int, Difference], ...]  # Each with its line in the file.
    said: Mapping[str, str]  # Why steps failed, in the words of the run.

    @property
    def is_passed(self) -> bool:
        """Whether all was as expected."""
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A test file that can be played."""

    path: Path
    play: Play
    document: Document
    definitions: Mapping[str, Definition]
    policy: Policy
    checks_targets: bool  # False: no policy says what services, databases and programs there are.


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualPolicy:
    """The policy of tests that name none."""

    policy: Policy
    checks_targets: bool


class Playbooks:
    """Reads test files; the workflows of one folder are checked once under each policy."""

    def __init__(self, usual: UsualPolicy) -> None:
        """`usual` is for tests that name no policy."""
        self._usual = usual
        self._checked: dict[tuple[Path, str], Report] = {}

    def read(self, path: Path) -> tuple[Playbook | None, list[Fault]]:
        """Return the test file at `path` with the workflows and the policy that it is about.

        Nothing, with what is wrong, where the test, its workflow or its policy cannot be used.
        """
        try:
            loaded = read_play(read_text(path), str(path))
        except DefinitionError as error:
            return None, [Fault(file=str(path), line=1, column=1, path="", what=error.message)]
        if loaded.model is None:
            return None, list(loaded.faults)
        play, document = loaded.model, loaded.document
        chosen, faults = _policy(path, play, document, self._usual)
        if chosen is None:
            return None, faults
        report = self._report(tested_folder(path), chosen)
        faults = play_faults(play, document, report.definitions)
        if faults:
            own = f"workflow: {play.workflow}"
            about = [one for one in report.errors if own in _text_of(one.file)]
            return None, [*about, *faults]
        playbook = Playbook(
            path=path,
            play=play,
            document=document,
            definitions={one.workflow: one for one in report.definitions},
            policy=chosen.policy,
            checks_targets=chosen.checks_targets,
        )
        return playbook, []

    def _report(self, folder: Path, chosen: UsualPolicy) -> Report:
        key = (folder, chosen.policy.digest if chosen.checks_targets else "")
        if key not in self._checked:
            targets = chosen.policy.targets if chosen.checks_targets else Services()
            against = chosen.policy if chosen.checks_targets else None
            self._checked[key] = check([folder], all_actions(targets, _rows()), against)
        return self._checked[key]


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _policy(
    path: Path, play: Play, document: Document, usual: UsualPolicy
) -> tuple[UsualPolicy | None, list[Fault]]:
    if play.policy is None:
        return usual, []
    file = path.parent / play.policy
    try:
        loaded = read_policy(read_text(file), str(file))
    except DefinitionError:
        return None, [document.fault(("policy",), f"there is no policy {file}")]
    if loaded.model is None:
        return None, list(loaded.faults)
    return UsualPolicy(policy=loaded.model, checks_targets=True), []


def _rows() -> DatabaseRows:
    """Return the port to databases that nothing here ever goes through."""
    return DatabaseRows(now=lambda: MONDAY_NOON)


def played(test: Playbook, ground: Ground, only: str = "") -> Iterator[Result]:
    """Play the tests of a file whose names hold `only`; yield what came of each."""
    actions = all_actions(test.policy.targets, _rows())
    for number, case in enumerate(test.play.tests):
        if only.casefold() not in case.name.casefold():
            continue
        started = time.monotonic()
        found, said = _played(test, case, ground, actions)
        place = ("tests", number)
        line = test.document.fault((*place, "name"), "").line
        yield Result(
            file=str(test.path),
            workflow=test.play.workflow,
            name=case.name,
            line=line,
            seconds=time.monotonic() - started,
            differences=tuple(
                (test.document.fault((*place, *one.path), "").line, one) for one in found
            ),
            said=said,
        )


def _played(
    test: Playbook, case: Case, ground: Ground, real: Actions
) -> tuple[list[Difference], Mapping[str, str]]:
    """Return where a test came out otherwise, and why steps failed."""
    play = test.play
    clock, cast = SetClock(case.at or play.at), Cast(play.people)
    with ground.store(clock) as store:
        tape = _tape(test, case, store)
        rehearsal = rehearsal_of(store, clock, _given(test, tape, cast, real))
        player = Player(rehearsal, tape, real)
        try:
            run = player.play(_start(test, case, cast), case.decisions)
        except InterlockError as refusal:
            return _refused(case, str(refusal)), {}
        if case.expect is None:
            return [_difference(("refused",), case.refused or "", "the run was started")], {}
        finding = _found(player, run, store, tape)
    compared = (
        _difference(("expect", *one.path), one.expected, one.found)
        for one in differences(case.expect, finding.found)
    )
    return [*_unrecorded(tape), *_undecided(player), *compared], finding.said


def _tape(test: Playbook, case: Case, store: SqlStore) -> Tape:
    # A run finds its definition by its row, and the tape asks while an action is called.
    bound = {one.version: one for one in test.definitions.values()}
    answers = {**test.play.answers, **case.answers}
    return Tape(test.play.workflow, answers, lambda run: bound[store.run(RunId(run)).version])


def _given(test: Playbook, tape: Tape, cast: Cast, real: Actions) -> Given:
    return Given(
        definitions=test.definitions,
        policy=test.policy,
        actions={
            name: Recorded(one, tape, checks_targets=test.checks_targets)
            for name, one in real.items()
        },
        people=cast,
        references=Believing(test.definitions[test.play.workflow]),
    )


def _found(player: Player, run: RunId, store: SqlStore, tape: Tape) -> Finding:
    finding = Finding(store, tape.shown)
    for one in in_order(player.runs, run):
        finding.take(one, player.bound(one))
    finding.found.outcome = store.run(run).status.value
    finding.found.effects = tape.effects
    finding.found.arguments = {**tape.arguments, **finding.found.arguments}
    return finding


def _start(test: Playbook, case: Case, cast: Cast) -> Start:
    may_run = test.definitions[test.play.workflow].may_run
    inputs: dict[str, Json] = dict(case.inputs)
    return Start(
        workflow=test.play.workflow,
        inputs=inputs,
        trigger="slash",
        person=cast.first(may_run) if case.by is None else id_of(case.by),
        channel=CHANNEL,
    )


def _refused(case: Case, said: str) -> list[Difference]:
    if case.refused is not None:
        is_so = case.refused in said
        return [] if is_so else [_difference(("refused",), case.refused, said)]
    return [_difference(("expect",), "the run is started", f"it is refused: {said}")]


def _unrecorded(tape: Tape) -> Iterator[Difference]:
    for name, what in tape.missing.items():
        yield _difference(("answers",), f"an answer for {name}", f"none that fits ({what})")


def _undecided(player: Player) -> Iterator[Difference]:
    for one in player.undecided:
        yield _difference(("decisions", one.number), one.expected, one.found)


def _difference(path: tuple[str | int, ...], expected: str, found: str) -> Difference:
    return Difference(path=path, expected=expected, found=found)
