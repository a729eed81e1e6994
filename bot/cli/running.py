"""`interlock run`, `cancel`, `settle`, `move-run`: what a person of this machine asks for."""

import os

import click

from bot.beside import have_done
from bot.cli.new_log import data_about, lines_about
from bot.cli.output import answer, as_json_option
from bot.cli.typed import filled
from bot.opening import Memory
from bot.orders import CancelOrder, MoveRunOrder, RunOrder, SettleOrder
from bot.settings import read_settings
from workflows.errors import InputsError, InputsUnreadableError


@click.command()
@click.argument("workflow")
@click.argument("values", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--key", help="Starting again under the same key gives the same run.")
@click.option("--channel", default="", help="Where the run's thread stands.")
@as_json_option
def run(
    workflow: str, values: tuple[str, ...], key: str | None, channel: str, *, as_json: bool
) -> None:
    """Start a run of WORKFLOW. It asks for the same approvals as one started in Slack."""
    order = filled(RunOrder, workflow=workflow, inputs=inputs_of(values), key=key, channel=channel)
    settings = read_settings()
    begun: dict[str, dict[str, str]] = {}

    def tell_of_new_log(memory: Memory) -> None:
        begun["begun"] = data_about(settings, memory)
        click.echo("\n".join(lines_about(settings, memory)), err=True)

    try:
        told = have_done(settings, order, user=os.getuid(), begun=tell_of_new_log)
    except InputsUnreadableError:
        raise  # Nothing has to be corrected.
    except InputsError as refused:
        hint = "Correct these fields and run it again."
        raise InputsError(refused.fields, hint=hint) from refused
    first = "Started" if told["is_new"] else "This key already started"
    later = "" if told["served"] else " Nobody serves now; it goes on with `interlock serve`."
    answer({**told, **begun}, [f"{first} run {told['run']}.{later}"], as_json=as_json)


STAYS = "What it has done stays done."


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--reason", required=True, help="Why; it stays on record.")
@as_json_option
def cancel(run_id: str, reason: str, *, as_json: bool) -> None:
    """Cancel a run. An effect under way is waited for, not torn."""
    told = have_done(
        read_settings(), filled(CancelOrder, run=run_id, reason=reason), user=os.getuid()
    )
    later = "is being cancelled: an effect is under way or in doubt, and it ends after that"
    ends = "is cancelled" if told["has_ended"] else later
    answer(dict(told), [f"Run {run_id} {ends}. {STAYS}"], as_json=as_json)


ANSWERS = {
    "retry": "is tried again",
    "skip": "is skipped",
    "abort": "ends the run",
    "undo": "ends the run once what can be undone is undone",
    "happened": "counts as done",
    "not-happened": "begins again, and asks for approval again",
    "unknown": "ends the run, and the doubt stays on record",
}


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step")
@click.argument("answer_to", metavar="ANSWER", type=click.Choice(list(ANSWERS)))
@click.option("--reason", required=True, help="Why; it stays on record.")
@as_json_option
def settle(run_id: str, step: str, answer_to: str, reason: str, *, as_json: bool) -> None:
    """Say how an exception goes on, or what became of an effect in doubt.

    ANSWER is retry, skip, abort or undo for an exception, happened, not-happened or unknown
    for a doubt. `interlock runs --exceptions` lists both. The policy has to name you under
    `operators`; then you may answer what you could answer in Slack, and nothing else.
    """
    order = filled(SettleOrder, run=run_id, step=step, answer=answer_to, reason=reason)
    told = have_done(read_settings(), order, user=os.getuid())
    about = f"Step {step} of run {run_id}" if step else f"The end of run {run_id}"
    answer(dict(told), [f"{about} {ANSWERS[answer_to]}."], as_json=as_json)


@click.command("move-run")
@click.argument("run_id", metavar="RUN")
@click.option("--to", default="", metavar="VERSION", help="The start of its digest is enough.")
@click.option("--reason", default="", help="Why; it stays on record.")
@click.option("--check", is_flag=True, help="Only say whether it can.")
@as_json_option
def move_run(run_id: str, to: str, reason: str, *, check: bool, as_json: bool) -> None:
    """Put a waiting RUN on another version of its workflow, by default the active one.

    What has begun must stand in that version as it was done; what has not begun is taken from
    it. What was approved before is asked anew. It is for owner and deputy of the workflow: the
    policy has to name you under `operators`.
    """
    if check == bool(reason.strip()):
        raise click.UsageError("Say why with --reason, or only --check.")
    order = filled(MoveRunOrder, run=run_id, to=to, reason=reason.strip())
    told = have_done(read_settings(), order, user=os.getuid())
    answer(dict(told), [str(told["words"])], as_json=as_json)


def inputs_of(values: tuple[str, ...]) -> dict[str, str]:
    """Return what was typed as FIELD=VALUE, each field once."""
    found: dict[str, str] = {}
    for one in values:
        name, sign, value = one.partition("=")
        if not sign:
            raise click.UsageError(f"{one!r} is no FIELD=VALUE.")
        if name in found:
            raise click.UsageError(f"{name} is given twice.")
        found[name] = value
    return found
