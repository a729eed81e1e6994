"""`interlock policy replay`: what another policy would have decided about what has been."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from bot.beside import slack_people
from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.reading import opened
from bot.cli.ruling import ruling_here
from bot.policy_history import Count, History, Replayed
from bot.policy_in_force import Ruling
from bot.settings import read_settings
from storage.judgements import count_judged
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.condition_tree import Name, every, tree_of
from workflows.duration import duration
from workflows.moments import stamp
from workflows.policy import Policy
from workflows.policy_facts import rule_environment
from workflows.policy_replay import Change

EXISTING = click.Path(path_type=Path, exists=True)
PATIENCE = 2.0  # Seconds after which people are told how far it is, and how often from then on.
BY_NAME = (
    "Some rule asks who asked. Without SLACK_BOT_TOKEN that was judged by the names on record."
)


class Length(click.ParamType[timedelta]):
    """A length of time as definitions write it."""

    name = "length"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        try:
            return duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("replay")
@click.option("--since", type=Length(), default="30d", show_default=True, help="How far back.")
@click.option("--policy", "file", type=EXISTING, help="That file, not what is in force.")
@as_json_option
def policy_replay(since: timedelta, file: Path | None, *, as_json: bool) -> None:
    """Say what the policy would have decided differently about what has been.

    Every step that was put to the policy since then is held against the policy in force, or the
    file of --policy. With --json each
    line is an object, and the last one has the counts. Exit code 3 if something could not be
    evaluated, because it was erased for example.
    """
    settings = read_settings()
    ruling = ruling_here(settings, file)
    policy = ruling.policy
    people = slack_people(settings)
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    start, count = datetime.now(UTC) - since, Count()
    with opened(settings) as database:
        tell = _progress(lambda: count_judged(database, since=start))
        for one in History(database, policy, people, actions).replayed(since=start):
            count.take(one)
            tell(count.judged)
            if one.differences or one.why_not:
                answer(_data(one), _lines(one), as_json=as_json)
    by_name = people is None and _asks_for_requester(policy)
    data = _counts(count, ruling, by_name=by_name)
    answer(data, _told(count, ruling, by_name=by_name), as_json=as_json)
    leave(Exit.UNPROVEN if count.not_evaluated else Exit.FINE)


def _progress(total: Callable[[], int]) -> Callable[[int], None]:
    """Return what is told of each step, and says now and then how far it is."""
    last, whole = time.monotonic(), 0

    def tell(number: int) -> None:
        nonlocal last, whole
        if time.monotonic() - last > PATIENCE:
            whole = whole or total()
            click.echo(f"{number} of {whole} steps …", err=True)
            last = time.monotonic()

    return tell


def _asks_for_requester(policy: Policy) -> bool:
    conditions = [text for rule in policy.rules for text in (rule.when, *_auto(rule.auto))]
    trees = (one for text in conditions for one in every(tree_of(rule_environment(), text)))
    return any(isinstance(one, Name) and one.path[0] == "requester" for one in trees)


def _auto(auto: object) -> tuple[str, ...]:
    when = getattr(auto, "when", None)
    return (when,) if isinstance(when, str) else ()


def _lines(one: Replayed) -> Iterator[str]:
    step = f"{one.workflow}/{one.entry.data['step']}"
    yield f"{stamp(one.entry.at)}  run {one.entry.run}  {step}"
    yield from (f"    {found}" for found in one.differences)
    if one.why_not:
        yield f"    not evaluated: {one.why_not}"


def _data(one: Replayed) -> dict[str, object]:
    return {
        "run": one.entry.run,
        "workflow": one.workflow,
        "step": one.entry.data["step"],
        "at": stamp(one.entry.at),
        "differences": [
            {"change": found.change.value, "before": found.before, "now": found.now}
            for found in one.differences
        ],
        "not_evaluated": one.why_not,
    }


def _told(count: Count, ruling: Ruling, *, by_name: bool) -> Iterator[str]:
    yield f"{count.judged} step(s) were judged; {count.same} would be judged the same"
    yield f"under the policy {ruling.policy.digest[:8]}."
    yield from (f"  {name}: {number}" for name, number in _in_order(count).items())
    if count.not_evaluated:
        yield f"  not evaluated: {count.not_evaluated}"
    if by_name:
        yield BY_NAME
    if ruling.remark:
        yield ruling.remark


def _counts(count: Count, ruling: Ruling, *, by_name: bool) -> dict[str, object]:
    return {
        "policy": ruling.policy.digest,
        **ruling.data,
        "judged": count.judged,
        "same": count.same,
        "changes": _in_order(count),
        "not_evaluated": count.not_evaluated,
        "requesters_by_name": by_name,
    }


def _in_order(count: Count) -> dict[str, int]:
    return {one.value: count.changes[one.value] for one in Change if count.changes[one.value]}
