"""`interlock publish`: puts a change of the catalog to people."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bot.beside import have_done
from bot.cli.output import Exit, answer, as_json_option, leave, refusal_data
from bot.cli.placing import place_words, placed
from bot.cli.typed import filled, place_named
from bot.git_commit import commit_of
from bot.orders import AnyOrder
from bot.publish_orders import ActivateOrder, PublishOrder, RetireOrder
from bot.settings import Settings, read_settings
from workflows.check import files_in
from workflows.definition_file import read_document
from workflows.errors import DefinitionError, InterlockError, UnknownWorkflowError
from workflows.loading import read_text

OPTIONS = {"author": "--by", "reason": "--reason"}


@click.command()
@click.argument("what", nargs=-1, metavar="[FILE|NAME]...")
@click.option("--activate", nargs=2, metavar="NAME VERSION", help="Go back to that version.")
@click.option("--retire", metavar="NAME", help="Have nobody start it any more.")
@click.option("--policy", "is_policy", is_flag=True, help="The policy file, not workflows.")
@click.option("--by", "author", metavar="PERSON", help="Who wrote it, if not you.")
@click.option("--reason", default="", help="Why, for those who decide.")
@as_json_option
def publish(
    what: tuple[str, ...],
    activate: tuple[str, str] | None,
    retire: str | None,
    author: str | None,
    reason: str,
    *,
    is_policy: bool,
    as_json: bool,
) -> None:
    """Put workflows to those who have to agree, each in a run of its own.

    A NAME is looked up in the folder of definitions; without any, each of its files is meant
    that is not active as it stands there. Nothing changes before people have agreed.
    """
    settings = read_settings()
    if bool(what) + bool(activate) + bool(retire) + is_policy > 1:
        raise click.UsageError("Files, --policy, --activate and --retire: ask for one of these.")
    if activate is not None:
        name, version = activate
        orders: list[AnyOrder] = [
            filled(ActivateOrder, workflow=name, version=version, reason=reason)
        ]
    elif retire is not None:
        if not reason.strip():
            raise click.UsageError("Say why with --reason.")
        orders = [filled(RetireOrder, workflow=retire, reason=reason)]
    else:
        files = [settings.policy_file] if is_policy else _files(settings, what)
        orders = [_order(one, author, reason, is_policy=is_policy) for one in files]
    if len(orders) == 1:
        told = [have_done(settings, orders[0], user=os.getuid())]
    else:
        told = [_tried(settings, one) for one in orders]
    told = [placed(settings, one) if one.get("run") else one for one in told]
    is_fine = all(one["ok"] and not one.get("not_taken") for one in told)
    lines = [line for one in told for line in _lines(one, is_alone=len(told) == 1)]
    data = {"ok": is_fine, "proposed": [dict(one) for one in told]}
    answer(data, lines or ["Every file is active as it stands."], as_json=as_json)
    leave(Exit.FINE if is_fine else Exit.NO)


def _tried(settings: Settings, order: AnyOrder) -> Mapping[str, Any]:
    """Return what came of one order among several: a refusal stops none of the others."""
    try:
        return have_done(settings, order, user=os.getuid())
    except InterlockError as refusal:
        file = order.file if isinstance(order, PublishOrder) else ""
        return {"ok": False, "file": file, **refusal_data(refusal)}


def _files(settings: Settings, what: Sequence[str]) -> list[Path]:
    inside = files_in([settings.definitions])
    if not what:
        return [one for one in inside if _name_in(one)]
    names = {_name_in(one): one for one in inside}
    return [_file(one, names) for one in what]


def _file(what: str, names: Mapping[str, Path]) -> Path:
    if what in names:
        return names[what]
    place = place_named(what)
    if place is not None:
        return place
    raise UnknownWorkflowError(
        f"There is no file {what}, and no file of that workflow among the definitions.",
        hint="Give the path of the file, or the name of a workflow.",
    )


def _name_in(file: Path) -> str:
    """Return the name of the workflow in a file, nothing where it holds none."""
    try:
        found = read_document(read_text(file), str(file)).value
    except DefinitionError:
        return ""
    return str(found.get("workflow", "")) if isinstance(found, dict) else ""


def _order(file: Path, author: str | None, reason: str, *, is_policy: bool) -> PublishOrder:
    commit = commit_of(file)
    return filled(
        PublishOrder,
        file=file.name,
        text=read_text(file),
        author=author,
        reason=reason,
        commit=None if commit is None else commit.id,
        is_committed=commit is not None and commit.is_committed,
        is_policy=is_policy,
    )


def _lines(told: Mapping[str, Any], *, is_alone: bool) -> list[str]:
    if not told["ok"]:
        return [f"{told['file']}: {told['message']} {told['hint']}".rstrip()]
    name = f"{told['workflow']} {told['version'][:8]}"
    if told["run"] is None:
        return [f"{name} is active already."] if is_alone else []
    was = "nothing" if told["replaces"] is None else told["replaces"][:8]
    first = "is put to people" if told["is_new"] else "is before people already,"
    later = "" if told["served"] else " Nobody serves now; it goes on with `interlock serve`."
    by = "" if told["is_new"] or not told.get("by") else f" by {told['by']}"
    first = f"{name} {first} in run {told['run']}{by}; it would replace {was}.{later}"
    found = [f"  {one}" for one in told["warnings"]]
    return [first, f"  {place_words(told)}", *_not_taken(told), *found]


def _not_taken(told: Mapping[str, Any]) -> Iterator[str]:
    """Say which options changed nothing, since what people look at was said before."""
    if told.get("not_taken"):  # A bot of the release before does not say.
        options = " and ".join(OPTIONS[one] for one in told["not_taken"])
        yield (
            f"  {options} changed nothing: people go on deciding about what was said first."
            f" To change it, `interlock cancel {told['run']}` and propose it again."
        )
