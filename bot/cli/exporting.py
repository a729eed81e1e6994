"""`interlock audit export`: a pack for an auditor, or entries in the forms of other systems.

A pack is made by whoever may write the log, since the log tells of it. Other forms are only
read, beside whoever serves; they hold no payloads.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from bot.beside import have_done
from bot.cli.growth import growth_told
from bot.cli.output import answer, as_json_option
from bot.cli.reading import opened
from bot.cli.typed import ENTRY, filled
from bot.export_orders import ExportOrder
from bot.settings import read_settings
from storage.evidence.derived.written import Form, derived
from storage.evidence.pack import whole_file
from storage.evidence.ranges import Bounds
from workflows.entry import Json
from workflows.kinds import KINDS

PACK = "pack"
STDOUT = "-"
LAST = datetime.max.replace(tzinfo=UTC)
OF_PACKS = ("disclose", "parts", "proofs", "sample", "seed")


@click.command()
@click.option("--out", help="A folder to make, or a .zip; of other formats a file, or stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice([PACK, *(one.value for one in Form)]),
    default=PACK,
    show_default=True,
    help="A pack that verifies, or events for other systems, which do not.",
)
@click.option("--from", "start", help="The first entry, by number or by day (2026-01-31).")
@click.option("--to", "end", help="Where to stop: before an entry's number, or after a day.")
@click.option("--run", help="Of other formats: only the entries of this run.")
@click.option(
    "--disclose",
    type=click.Choice(["all", "selected", "none"]),
    help="Which payloads go along.  [default: all]",
)
@click.option("--part", "parts", multiple=True, help="A payload that `selected` discloses.")
@click.option("--proof", "proofs", multiple=True, type=ENTRY, help="An entry to prove.")
@click.option("--sample", type=click.IntRange(0), default=0, help="How many runs to draw.")
@click.option("--seed", default="", help="What they are drawn by; the same draws the same.")
@as_json_option
def export(
    *,
    out: str | None,
    form: str,
    start: str | None,
    end: str | None,
    run: str | None,
    as_json: bool,
    **chosen: Any,  # noqa: ANN401  what only packs have
) -> None:
    """Write a pack for an auditor: it verifies offline, with the log's public key alone."""
    bounds = {**_from(start), **_to(end)}
    if form != PACK:
        if any(chosen[name] for name in OF_PACKS):
            raise click.UsageError(f"--format {form} has entries alone; a pack has the rest.")
        _write_derived(Form(form), Bounds(**bounds), out, run=run, as_json=as_json)
        return
    if out is None or run is not None:
        raise click.UsageError("A pack wants --out, a folder or a .zip, and is not of one run.")
    _refuse_half(**chosen)
    chosen["disclose"] = chosen["disclose"] or "all"
    order = filled(ExportOrder, out=str(Path(out).absolute()), **bounds, **chosen)
    with growth_told(Path(order.out)):
        told = have_done(read_settings(), order, user=os.getuid())
    answer(dict(told), list(_about_pack(told)), as_json=as_json)


def _refuse_half(
    *,
    disclose: str | None,
    parts: tuple[str, ...],
    proofs: tuple[int, ...],
    sample: int,
    seed: str,
) -> None:
    """Refuse options that only make sense together."""
    del proofs
    if parts and disclose != "selected":
        raise click.UsageError("--part goes with --disclose selected.")
    if disclose == "selected" and not parts:
        raise click.UsageError("Name what to disclose: --part plan --part comment.")
    known = frozenset().union(*(one.parts for one in KINDS.values()))
    for name in (one for one in parts if one not in known):
        raise click.UsageError(
            f"No payload is called {name}; there are: {', '.join(sorted(known))}."
        )
    if bool(sample) != bool(seed):
        raise click.UsageError("--sample and --seed go together: 25 runs, drawn by 2026-Q1.")


def _write_derived(
    form: Form, bounds: Bounds, out: str | None, *, run: str | None, as_json: bool
) -> None:
    with opened(read_settings()) as database, database.read() as connection:
        lines = derived(connection, form, bounds, run=run)
        if out is None or out == STDOUT:
            if as_json:
                raise click.UsageError("--json tells of a file: name it with --out.")
            for line in lines:
                click.echo(line, nl=False)
            return
        count = _into(Path(out), lines)
    told = {"ok": True, "format": form.value, "file": out, "lines": count}
    answer(told, [f"{out} has {count} lines, in the form {form.value}."], as_json=as_json)


def _into(path: Path, lines: Iterable[bytes]) -> int:
    """Write a file that stands under its name only when it is whole; return how many lines."""
    count = 0
    with whole_file(path) as file:
        for line in lines:
            file.write(line)
            count += 1
    return count


def _about_pack(told: Mapping[str, Json]) -> Iterator[str]:
    bounds = told["range"]
    first, after = bounds if isinstance(bounds, list) else (0, 0)
    if first == after:
        yield f"{told['pack']} holds none of the {told['size']} entries: none is in that range."
    else:
        yield f"{told['pack']} holds the entries from {first} up to {after}, of {told['size']}."
    sampled = told["sampled"]
    if isinstance(sampled, list) and sampled:
        yield f"Drawn:     {len(sampled)} of the runs that began there, each a folder in samples/."
    yield "Read it:   report.html in it; README says what each file is."
    yield f"Check it:  interlock audit verify --pack {told['pack']} --vkey {told['vkey']}"


def _from(written: str | None) -> dict[str, Any]:
    if written is None:
        return {}
    return {"start": _place(written)} if written.isdecimal() else {"since": _day(written)}


def _to(written: str | None) -> dict[str, Any]:
    if written is None:
        return {}
    if written.isdecimal():
        return {"end": _place(written)}
    day = _day(written)
    # Behind the last day that there is stands no other one.
    return {"until": day + timedelta(days=1) if day.date() < date.max else LAST}


def _place(written: str) -> int:
    try:
        return int(written)
    except ValueError:  # Thousands of digits.
        raise click.UsageError("No log has an entry of that number.") from None


def _day(written: str) -> datetime:
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise click.UsageError(
            f"{written!r} is neither an entry's number nor a day like 2026-01-31 (UTC)."
        ) from None
