"""`interlock audit`: what an outsider needs, and how they check it."""

import hashlib
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import click

from bot.cli.lazy import LazyGroup, Place
from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.progress import progress_bar
from bot.cli.typed import ENTRY, filled, place_named
from bot.settings import read_settings, require_one
from bot.whole_files import write_new
from storage.checkpoint import MalformedNoteError, read_note
from storage.evidence.page import browser_verifier
from storage.verify import Options, verify_database, verify_pack
from storage.verify.notes import unpasted

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


PLACES = {
    "head": Place("bot.cli.auditing", "head", "Print the newest signed head."),
    "verify": Place("bot.cli.auditing", "verify", "Check the log, or a pack of it."),
    "proof": Place("bot.cli.auditing", "proof", "Print the proof of one entry."),
    "export": Place("bot.cli.exporting", "export", "Write a pack for an auditor, or events."),
    "explain": Place("bot.cli.auditing", "explain", "Tell everything about one entry."),
    "anchors": Place("bot.cli.auditing", "anchors", "List who keeps or vouches for heads outside."),
    "verifier": Place("bot.cli.auditing", "verifier", "Write the page that verifies a pack."),
    "sweep": Place("bot.cli.retaining", "sweep", "Remove payloads whose term is over."),
    "hold": Place("bot.cli.retaining", "hold", "Keep payloads from being removed."),
    "push": Place("bot.cli.pushing", "push", "Say how far entries have been pushed."),
}

audit = LazyGroup(name="audit", places=PLACES, help="Check and show the signed trail.")


@click.command()
@as_json_option
def head(*, as_json: bool) -> None:
    """Print the newest signed head; whoever keeps it can tell later if the log was cut."""
    from bot.beside import have_done  # noqa: PLC0415 - it brings all of the bot; `verify` needs none of it.
    from bot.orders import HeadOrder  # noqa: PLC0415 - as above.

    told = have_done(read_settings(), HeadOrder(), user=os.getuid())
    answer(
        dict(told), [*str(told["note"]).splitlines(), "", f"vkey {told['vkey']}"], as_json=as_json
    )


@click.command()
@click.option("--db", "url", help="The database, by default the one of the settings.")
@click.option("--pack", type=click.Path(path_type=Path), help="A pack: a folder or a zip.")
@click.option("--vkey", "vkeys", multiple=True, help="A key that was kept outside, or its file.")
@click.option(
    "--checkpoint",
    "notes",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="A head that was kept outside.",
)
@click.option("--quick", is_flag=True, help="Only hashes, roots and notes.")
@click.option("--sample", type=click.IntRange(1), help="Every N-th entry signature.")
@click.option(
    "--processes", type=click.IntRange(1), help="How many check signatures; by default each core."
)
@click.option(
    "--witness", "witnesses", multiple=True, help="A witness's key that you trust, or its file."
)
@click.option(
    "--tsa",
    "certificates",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates of time stamp authorities (PEM). Needs openssl.",
)
@click.option("--max-age", help="How old the newest entry under an outside head may be, as in 8d.")
@as_json_option
def verify(  # noqa: PLR0913  an option each
    *,
    url: str | None,
    pack: Path | None,
    vkeys: tuple[str, ...],
    notes: tuple[Path, ...],
    quick: bool,
    sample: int | None,
    processes: int | None,
    witnesses: tuple[str, ...],
    certificates: Path | None,
    max_age: str | None,
    as_json: bool,
) -> None:
    """Decide whether the history shown is the history recorded. It writes nothing.

    Exit codes: 0 verified, 1 a failure, 2 unreadable or asked wrongly, 3 something is unproven.
    """
    if url is not None and pack is not None:
        raise click.UsageError("Name a database or a pack, not both.")
    keys = [key for one in vkeys for key in _keys(one)]
    checkpoints = [_note(note) for note in notes]
    if certificates is not None and shutil.which("openssl") is None:
        raise click.UsageError("openssl is not installed, and only it can verify time stamps.")
    with progress_bar() as progress:
        how = Options(
            quick=quick,
            sample=sample,
            max_age=_age(max_age),
            processes=processes,
            progress=progress,
            witnesses=[key for one in witnesses for key in _keys(one)],
            certificates=certificates,
        )
        report = (
            verify_pack(pack, keys, checkpoints, **how)
            if pack is not None
            else verify_database(url or _own_database(), keys, checkpoints, tables=not quick, **how)
        )
    answer(report.to_json(), report.lines(), as_json=as_json)
    leave(report.exit)


@click.command()
@click.argument("index", type=ENTRY)
@as_json_option
def proof(*, index: int, as_json: bool) -> None:
    """Print the proof that entry INDEX stands in the log, under its newest head."""
    from bot.beside import have_done  # noqa: PLC0415 - as above.
    from bot.export_orders import ProofOrder  # noqa: PLC0415 - as above.

    told = have_done(read_settings(), filled(ProofOrder, index=index), user=os.getuid())
    answer(dict(told), str(told["proof"]).splitlines(), as_json=as_json)


@click.command()
@click.argument("index", type=ENTRY)
@as_json_option
def explain(*, index: int, as_json: bool) -> None:
    """Tell everything about entry INDEX: what it says, who signed it, what proves it.

    Exit codes: 0 it holds, 1 it does not, 2 asked wrongly.
    """
    from bot.cli.entry_explained import explained_data, explained_lines  # noqa: PLC0415 - as above.
    from bot.cli.reading import opened  # noqa: PLC0415 - as above.
    from storage.explained import explain_entry  # noqa: PLC0415 - as above.
    from storage.listing import people_of  # noqa: PLC0415 - as above.

    with opened(read_settings()) as database:
        with database.read() as connection:
            found = explain_entry(connection, index)
        known = people_of(database, [found.entry.actor.ref])
    answer(explained_data(found, known), explained_lines(found, known), as_json=as_json)
    leave(Exit.FINE if found.holds else Exit.NO)


@click.command()
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many heads."
)
@as_json_option
def anchors(*, limit: int, as_json: bool) -> None:
    """List who keeps or vouches for heads outside, with their age. 1 if somebody fails to."""
    from bot.cli.anchoring import told_of  # noqa: PLC0415 - it brings words that `verify` needs not.

    told = told_of(read_settings(), most=limit)
    answer(told.data, told.lines, as_json=as_json)
    leave(Exit.NO if told.is_failing else Exit.FINE)


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A file to make."
)
@as_json_option
def verifier(*, out: Path, as_json: bool) -> None:
    """Write the page that verifies a pack in a browser, without server or network."""
    page = browser_verifier()
    try:
        write_new(out, page)
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror}.") from error
    told = {"page": str(out), "bytes": len(page), "sha256": hashlib.sha256(page).hexdigest()}
    lines = [f"{out} is the page. Open it in a browser, drop a pack on it, paste the key."]
    answer(told, [*lines, f"sha256 {told['sha256']}"], as_json=as_json)


def _own_database() -> str:
    settings = read_settings()
    require_one(settings)
    return settings.database_url


def _keys(given: str) -> list[str]:
    """Return the key itself, or the keys in the file of that name."""
    if "+" in given and place_named(given) is None:
        return [given]
    return [line for line in _text(Path(given)).splitlines() if line.strip()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} cannot be read.") from error


def _note(path: Path) -> str:
    """Return a head that was kept; another file that was named says nothing of the log."""
    text = _text(path)
    try:
        read_note(unpasted(text))
    except MalformedNoteError as error:
        raise click.UsageError(f"{path} is no signed head: {error}") from error
    return text


def _age(written: str | None) -> timedelta | None:
    if written is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([dhms])", written)
    if found is None:
        raise click.UsageError(f"{written!r} is no length of time; write 8d or 12h.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
