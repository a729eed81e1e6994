"""`interlock audit push`: how far entries have been pushed to the system that watches."""

import click

from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.reading import opened
from bot.push_target import push_of
from bot.settings import SettingsError, read_settings
from storage.pushing import PushRows, PushState
from workflows.moments import stamp


@click.command()
@as_json_option
def push(*, as_json: bool) -> None:
    """Say how far entries have been pushed; 1 if the target takes none.

    `interlock serve` pushes; this only looks.
    """
    settings = read_settings()
    wanted = push_of(settings)
    if wanted is None:
        raise SettingsError(
            "Nothing is pushed: INTERLOCK_PUSH_URL is not set.",
            hint="Set it to https://host/path, or to syslog://host:port.",
        )
    with opened(settings) as database:
        state = PushRows(database, wanted.name, name="").state()
    answer(_data(state), _lines(state), as_json=as_json)
    if state.failing_since is not None:
        leave(Exit.NO)


def _data(state: PushState) -> dict[str, object]:
    return {
        "target": state.target,
        "next": state.next_idx,
        "size": state.size,
        "behind": state.behind,
        "sent_at": None if state.sent_at is None else stamp(state.sent_at),
        "failing_since": None if state.failing_since is None else stamp(state.failing_since),
        "trouble": state.trouble,
    }


def _lines(state: PushState) -> list[str]:
    lines = [
        f"{state.target} has taken {state.next_idx} of {state.size} entries.",
        "Nothing was pushed yet." if state.sent_at is None else f"Last: {stamp(state.sent_at)}.",
    ]
    if state.failing_since is not None:
        since, at = stamp(state.failing_since), state.next_idx
        lines.append(f"Since {since} it takes none, from entry #{at} on: {state.trouble}.")
    elif state.trouble:
        lines.append(f"The last that it took in short: {state.trouble}.")
    return lines
