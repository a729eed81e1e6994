"""`interlock init`: make the home folder, begin the log, and say what to do next."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, TextIO

import click

from bot.app_manifest import creation_link, manifest_of, manifest_text
from bot.cli.new_log import data_about, lines_about
from bot.cli.output import answer, as_json_option
from bot.settings import Settings, read_settings, require_one
from bot.starter import MANIFEST_NAME, SETTINGS_NAME, settings_text
from workflows.errors import InterlockError, UnusableDatabaseError

if TYPE_CHECKING:
    from bot.opening import Memory

PRIVATE = 0o600
FILES = (SETTINGS_NAME, MANIFEST_NAME)
WITHOUT_AFTER = "If an `init` that was cut short began it, `interlock init` alone makes the rest."
ASKED = "@ops-approvers and @ops-governors"


@click.command()
@click.option(
    "--after",
    type=click.File(encoding="utf-8", errors="replace"),
    help="A file with the newest head of the log that this one takes the place of.",
)
@click.option("--manifest", "only_manifest", is_flag=True, help="Only print the Slack manifest.")
@as_json_option
def init(after: TextIO | None, *, only_manifest: bool, as_json: bool) -> None:
    """Make the home folder: signing keys, database, policy, settings; say what to do next.

    What stands there already is never overwritten; cut short, it may be done again. With
    --manifest nothing is made.
    """
    settings = read_settings()
    if only_manifest:
        data = {"manifest": manifest_of(settings), "link": creation_link(settings)}
        return answer(data, manifest_text(settings).splitlines(), as_json=as_json)
    require_one(settings)
    memory = _begun(settings, after.read() if after is not None else None)
    with closing(memory.database):
        files = _write(settings, memory)
        data = {
            **data_about(settings, memory),
            "files": [str(one) for one in files],
            "manifest": manifest_of(settings),
            "link": creation_link(settings),
            "next": list(_steps(settings)),
        }
        lines = list(lines_about(settings, memory, between=_lines(settings)))
    return answer(data, lines, as_json=as_json)


def _begun(settings: Settings, after: str | None) -> "Memory":
    """Begin the log; or open the one that began here before all of the home was made.

    Raises:
        UnusableDatabaseError: there is a log, and it is another one, or its home lacks nothing.
    """
    from bot.opening import begin_log, open_memory  # noqa: PLC0415 - help must not wait for the database.
    from storage.log_setup import HAS_BEGUN  # noqa: PLC0415 - as above.

    try:
        return begin_log(settings, after=after)
    except UnusableDatabaseError as refusal:
        is_whole = all((settings.home / one).exists() for one in FILES)
        if refusal.message != HAS_BEGUN or is_whole:
            raise
        try:
            memory = open_memory(settings)
        except InterlockError:
            raise refusal from None
        if after is not None:  # What the first entry says of the log before stays as it is.
            memory.database.close()
            raise UnusableDatabaseError(refusal.message, hint=WITHOUT_AFTER) from refusal
        return memory


def _write(settings: Settings, memory: "Memory") -> list[Path]:
    """Write settings and manifest beside what the log began with; return what was written."""
    from bot.opening import add_file  # noqa: PLC0415 - as above.

    texts = {
        SETTINGS_NAME: settings_text(
            home=settings.home,
            origin=memory.journal.origin,
            channel=settings.channel,
            environment=os.environ,
        ),
        MANIFEST_NAME: manifest_text(settings),
    }
    places = {settings.home / name: text for name, text in texts.items()}
    return [path for path, text in places.items() if add_file(path, text, mode=PRIVATE)]


def _lines(settings: Settings) -> Iterator[str]:
    yield "Next:"
    for number, step in enumerate(_steps(settings), start=1):
        yield f"  {number}. {step}"
    yield "This link makes the app in Slack; it asks before anything is made:"
    yield f"  {creation_link(settings)}"


def _steps(settings: Settings) -> Iterator[str]:
    file = settings.home / SETTINGS_NAME
    folder = settings.definitions
    yield f"Make the Slack app: open the link below, or paste {settings.home / MANIFEST_NAME}."
    yield f"Install it in your workspace, and put its tokens and a channel into {file}."
    if settings.policy is None:
        yield f"Make the user groups {ASKED}, or name others in {settings.policy_file}."
    yield f"Put a workflow into {folder}, then: interlock check {quote(str(folder))}"
    yield f"Look whether all is well: set -a; . {quote(str(file))}; set +a; interlock doctor"
    yield "Start the bot with `interlock serve`, and type /invite @interlock in the channel."
