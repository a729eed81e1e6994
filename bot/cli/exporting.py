"""`interlock audit export`: a pack for an auditor, written by whoever may write the log."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from bot.beside import have_done
from bot.cli.growth import growth_told
from bot.cli.output import answer, as_json_option
from bot.export_orders import ExportOrder
from bot.settings import read_settings
from workflows.entry import Json


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="A folder to make, or a .zip."
)
@click.option("--from", "start", help="The first entry, by number or by day (2026-01-31).")
@click.option("--to", "end", help="Where to stop: before an entry's number, or after a day.")
@click.option(
    "--disclose",
    type=click.Choice(["all", "selected", "none"]),
    default="all",
    show_default=True,
    help="Which payloads go along.",
)
@click.option("--part", "parts", multiple=True, help="A payload that `selected` discloses.")
@click.option("--proof", "proofs", multiple=True, type=click.IntRange(0), help="An entry to prove.")
@click.option("--sample", type=click.IntRange(0), default=0, help="How many runs to draw.")
@click.option("--seed", default="", help="What they are drawn by; the same draws the same.")
@as_json_option
def export(  # noqa: PLR0913  an option each
    *,
    out: Path,
    start: str | None,
    end: str | None,
    disclose: str,
    parts: tuple[str, ...],
    proofs: tuple[int, ...],
    sample: int,
    seed: str,
    as_json: bool,
) -> None:
    """Write a pack for an auditor: it verifies offline, with the log's public key alone."""
    if parts and disclose != "selected":
        raise click.UsageError("--part goes with --disclose selected.")
    if disclose == "selected" and not parts:
        raise click.UsageError("Name what to disclose: --part plan --part comment.")
    if bool(sample) != bool(seed):
        raise click.UsageError("--sample and --seed go together: 25 runs, drawn by 2026-Q1.")
    order = ExportOrder.model_validate(
        {
            "out": str(out.absolute()),
            **_from(start),
            **_to(end),
            "disclose": disclose,
            "parts": parts,
            "proofs": proofs,
            "sample": sample,
            "seed": seed,
        }
    )
    with growth_told(Path(order.out)):
        told = have_done(read_settings(), order, user=os.getuid())
    answer(dict(told), list(_about_pack(told)), as_json=as_json)


def _about_pack(told: Mapping[str, Json]) -> Iterator[str]:
    bounds = told["range"]
    first, after = bounds if isinstance(bounds, list) else (0, 0)
    yield f"{told['pack']} holds the entries from {first} up to {after}, of {told['size']}."
    sampled = told["sampled"]
    if isinstance(sampled, list) and sampled:
        yield f"Drawn:     {len(sampled)} of the runs that began there, each a folder in samples/."
    yield "Read it:   report.html in it; README says what each file is."
    yield f"Check it:  interlock audit verify --pack {told['pack']} --vkey {told['vkey']}"


def _from(written: str | None) -> dict[str, object]:
    if written is None:
        return {}
    return {"start": int(written)} if written.isdecimal() else {"since": _day(written)}


def _to(written: str | None) -> dict[str, object]:
    if written is None:
        return {}
    if written.isdecimal():
        return {"end": int(written)}
    return {"until": _day(written) + timedelta(days=1)}


def _day(written: str) -> datetime:
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise click.UsageError(
            f"{written!r} is neither an entry's number nor a day like 2026-01-31 (UTC)."
        ) from None
