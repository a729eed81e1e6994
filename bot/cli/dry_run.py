"""`interlock try`: shows what a run would read, ask and do, and does none of it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.beside import slack_people
from bot.cli.dry_run_words import data_of, lines_of
from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.ruling import active_here, other_version, ruling_here
from bot.cli.running import inputs_of
from bot.cli.typed import place_named
from bot.core import Means, read_redactor
from bot.rehearsal.ground import Ground
from bot.rehearsal.house import NoSecrets
from bot.rehearsal.secrets import secrets_of_reads
from bot.rehearsal.trying import Wish, World, tried
from bot.settings import Settings, read_settings
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check as check_files
from workflows.could_approve import CouldApprove, could_approve
from workflows.definition import Definition
from workflows.errors import (
    DefinitionError,
    NotAllowedError,
    PeopleUnreadableError,
    UnknownWorkflowError,
)
from workflows.explaining import ExplainedStep
from workflows.fault import suggestion
from workflows.loading import read_as, read_text
from workflows.moments import moment_of
from workflows.people import CLICK_AGE, People, PersonId
from workflows.policy import Policy
from workflows.rehearsal.form import Fixtures
from workflows.rehearsal.people import Believing, Cast
from workflows.run import Status
from workflows.separation import Duty
from workflows.step_scope import Actions

EXISTING = click.Path(path_type=Path, exists=True)


@click.command("try")
@click.argument("workflow", metavar="WORKFLOW|FILE")
@click.option(
    "-i", "--input", "values", multiple=True, metavar="FIELD=VALUE", help="A value; again for more."
)
@click.option("--read", "looks", is_flag=True, help="Perform reads for real.")
@click.option("--fixtures", type=EXISTING, help="A file of answers and people.")
@click.option("--requester", default="", metavar="@NAME", help="Who asks.")
@click.option("--at", "moment", metavar="MOMENT", help="As at that moment: RFC 3339, or a day.")
@click.option("--policy", "policy_file", type=EXISTING, help="That file, not what is in force.")
@as_json_option
def try_workflow(
    workflow: str,
    values: tuple[str, ...],
    fixtures: Path | None,
    requester: str,
    moment: str | None,
    policy_file: Path | None,
    *,
    looks: bool,
    as_json: bool,
) -> None:
    """Show what a run of WORKFLOW would read, ask and do, and do none of it.

    Reads are answered from --fixtures, or performed with --read; others stay unknown. Ends
    with 1 if the run would not come to its end like that.
    """
    settings, at = read_settings(), moment_of(moment) if moment else datetime.now(UTC)
    ruling = ruling_here(settings, policy_file)
    policy = ruling.policy
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: at))
    known, name = _definitions(settings, workflow, actions, policy)
    given = _fixtures(fixtures)
    people = _people(settings, given)
    definition = known[name]
    wish = Wish(
        workflow=name,
        definitions=known,
        inputs=dict(inputs_of(values)),
        answers=given.answers,
        person=_requester(people, (requester,) if requester else definition.may_run),
        at=at,
        looks=looks,
    )
    means = Means()
    redact = read_redactor(settings, means)
    with ExitStack() as stack:
        book = secrets_of_reads(settings, means, redact, is_given_alone=policy_file is not None)
        world = World(
            policy=policy,
            actions=actions,
            people=people,
            references=Believing(definition),
            secrets=stack.enter_context(book) if looks else NoSecrets(),
            redact=redact,
        )
        try:
            found = tried(wish, world, stack.enter_context(Ground()))
        except NotAllowedError as refused:
            _refuse_unknown(people, given, definition, refused)
            raise
    bound = {wish.person: Duty.REQUESTER}
    is_known = not isinstance(people, Cast) or bool(given.people)
    told = [
        (one, _who(people, one, bound, found.given.at) if is_known else None) for one in found.steps
    ]
    active = active_here(settings, name)
    remarks = [one for one in (ruling.remark, other_version(active, definition)) if one]
    data = {**data_of(ruling, found, told), "active": active}
    answer(data, [*remarks, *lines_of(policy, found, told)], as_json=as_json)
    leave(Exit.FINE if found.status is Status.DONE else Exit.NO)


def _definitions(
    settings: Settings, workflow: str, actions: Actions, policy: Policy
) -> tuple[Mapping[str, Definition], str]:
    """Return the sound workflows around the one that is meant, and its name."""
    file = place_named(workflow)
    if file is not None and not file.is_file():
        file = None  # A folder may be called like a workflow.
    folder = settings.definitions if file is None else file.parent
    report = check_files([folder] if folder.exists() else [], actions, policy)
    known = {one.workflow: one for one in report.definitions}
    name = workflow
    if file is not None:
        own = check_files([file], actions, policy)
        if not own.definitions:
            raise DefinitionError("\n".join(map(str, own.errors)) or f"{file} is no workflow.")
        name = own.definitions[0].workflow
        known[name] = own.definitions[0]
    if name not in known:
        raise UnknownWorkflowError(
            f"There is no sound file of a workflow {name} in {folder}.",
            hint=suggestion(name, known).capitalize(),  # Names have no capitals.
        )
    return known, name


def _fixtures(file: Path | None) -> Fixtures:
    return Fixtures() if file is None else read_as(read_text(file), str(file), Fixtures).required()


def _people(settings: Settings, given: Fixtures) -> People:
    """Return those of the fixtures; without any, those of Slack where it can be asked."""
    return (None if given.people else slack_people(settings)) or Cast(given.people)


def _requester(people: People, names: Sequence[str]) -> PersonId:
    for name in names:
        members = people.members(name, max_age=CLICK_AGE)
        if members:
            return min(members)
    raise PeopleUnreadableError(
        f"{' and '.join(names)} have nobody who could ask.", hint="Name somebody: --requester."
    )


def _refuse_unknown(
    people: People, given: Fixtures, definition: Definition, refused: NotAllowedError
) -> None:
    """Say what is missing where nobody knows who belongs to whom: that refuses nobody in Slack."""
    unknown = [one for one in definition.may_run if one not in given.people]
    if isinstance(people, Cast) and unknown:
        groups = " and ".join(unknown)
        raise PeopleUnreadableError(
            f"Who belongs to {groups} is not known here, so it cannot be tried as somebody of"
            f" theirs. ({refused.message})",
            hint="Set SLACK_BOT_TOKEN, name them in a file for --fixtures"
            f' (`people: {{"{unknown[0]}": ["@rita"]}}`), or leave --requester away.',
        ) from refused


def _who(
    people: People, one: ExplainedStep, bound: Mapping[PersonId, Duty], at: datetime
) -> CouldApprove | None:
    demand = one.told.demand
    return None if demand is None else could_approve(people, demand, bound, at=at)
