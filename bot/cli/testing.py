"""`interlock test`: plays the tests of workflow files; nothing outside is reached."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from bot.cli.output import Exit, answer, as_json_option, fault_data, leave
from bot.cli.typed import write
from bot.rehearsal.ground import Ground
from bot.rehearsal.junit import junit
from bot.rehearsal.testing import Playbooks, Result, UsualPolicy, played
from bot.settings import read_settings
from workflows.fault import Fault, written
from workflows.loading import load_policy
from workflows.rehearsal.own_gates import own_gates
from workflows.rehearsal.reading import files_of_tests

EXISTING = click.Path(path_type=Path, exists=True)
NO_POLICY = "Without a policy, only the gates of the workflow files themselves were played."


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=EXISTING)
@click.option("--policy", "policy_file", type=EXISTING, help="For tests that name none.")
@click.option("--only", default="", metavar="WORDS", help="Only tests whose name holds this.")
@click.option("--junit", "xml", type=click.Path(path_type=Path), help="Write JUnit XML there too.")
@as_json_option
def play_tests(
    paths: tuple[Path, ...], policy_file: Path | None, only: str, xml: Path | None, *, as_json: bool
) -> None:
    """Play the tests of workflow files: NAME.test.yaml beside them, or in a folder `tests`.

    The real engine runs on a database that is thrown away, with recorded answers in the place
    of every action and with a clock that never waits. Nothing outside is reached.
    """
    playbooks, files = Playbooks(_usual(policy_file)), files_of_tests(list(paths))
    read = [playbooks.read(one) for one in files]
    faults = [fault for _, found in read for fault in found]
    results: list[Result] = []
    if not faults:
        with Ground() as ground:
            for test in [one for one, _ in read if one is not None]:
                results += _told(played(test, ground, only), is_quiet=as_json)
    if xml is not None:
        write(xml, junit(results))
    is_unchecked = any(one is not None and not one.checks_targets for one, _ in read)
    nothing = "" if faults or results else _nothing(only)
    data = _data(files, faults, results)
    if nothing:
        data |= {"refusal": "UsageError", "message": nothing, "hint": ""}
    answer(data, _end(faults, results, nothing, is_unchecked=is_unchecked), as_json=as_json)
    if faults or not results:
        leave(Exit.WRONG)
    leave(Exit.FINE if all(one.is_passed for one in results) else Exit.NO)


def _usual(policy_file: Path | None) -> UsualPolicy:
    file = policy_file or read_settings().policy_file
    if policy_file is None and not file.exists():
        return UsualPolicy(policy=own_gates(), checks_targets=False)
    return UsualPolicy(policy=load_policy(file), checks_targets=True)


def _told(results: Iterator[Result], *, is_quiet: bool) -> Iterator[Result]:
    """Say of each test at once what came of it."""
    for one in results:
        if not is_quiet:
            click.echo("\n".join(_lines(one)))
        yield one


def _lines(result: Result) -> Iterator[str]:
    verdict = "passed" if result.is_passed else "FAILED"
    yield f"{result.file}:{result.line}: {result.name}: {verdict}"
    for line, one in result.differences:
        yield f"  {result.file}:{line}: {written(one.path)}"
        yield f"    expected: {one.expected}"
        yield f"    found:    {one.found}"
    if not result.is_passed:
        yield from (f"  {name} failed: {words}" for name, words in result.said.items() if words)


def _nothing(only: str) -> str:
    """Say why no test was played."""
    if only:
        return f"No test here has {only!r} in its name."
    return "There is no test here. Write one beside a workflow file, as NAME.test.yaml."


def _end(
    faults: Sequence[Fault], results: Sequence[Result], nothing: str, *, is_unchecked: bool
) -> Iterator[str]:
    yield from map(str, faults)
    if faults:
        yield "Nothing was played."
        return
    if is_unchecked:
        yield NO_POLICY
    if nothing:
        yield nothing
        return
    failed = sum(not one.is_passed for one in results)
    yield f"{len(results)} test(s), {failed} failed."


def _data(
    files: Sequence[Path], faults: Sequence[Fault], results: Sequence[Result]
) -> dict[str, object]:
    return {
        "ok": not faults and bool(results) and all(one.is_passed for one in results),
        "files": len(files),
        "faults": [fault_data(one) for one in faults],
        "tests": [
            {
                "file": one.file,
                "line": one.line,
                "workflow": one.workflow,
                "name": one.name,
                "passed": one.is_passed,
                "said": dict(one.said),
                "differences": [
                    {
                        "line": line,
                        "path": written(each.path),
                        "expected": each.expected,
                        "found": each.found,
                    }
                    for line, each in one.differences
                ],
            }
            for one in results
        ],
    }
