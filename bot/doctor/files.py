"""The files: policy and workflows can be used, their secrets are there, their people exist."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote

from bot.directory import NobodyKnownError
from bot.doctor.around import Around
from bot.doctor.channels import look_at_channels
from bot.doctor.findings import Finding, fail, ok, refused, unknown, warn
from bot.doctor.slack import AGAIN, NOT_ASKED, Reached
from bot.policy_in_force import Ruling, ruling_of
from bot.secret_sources.held import HeldSecrets
from bot.secret_sources.parts import given_sources
from bot.settings import SettingsError
from bot.webhook_signature import refuse_keyless
from bot.wording import joined, plural
from storage.database import Database
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import Report, check, files_in
from workflows.definition import Definition
from workflows.definition_flow import Ask
from workflows.definition_steps import Step, turns_of
from workflows.errors import (
    DefinitionError,
    PeopleUnreadableError,
    SecretError,
    StorageError,
)
from workflows.loading import load_policy
from workflows.people import EFFECT_AGE, PersonId
from workflows.policy import Policy
from workflows.policy_lint import named_places
from workflows.redaction import Redactor
from workflows.secret_book import plain

MOST_NAMED = 5
ENOUGH_TO_GOVERN = 2  # Whoever proposes never decides.


def look_at_files(
    around: Around, reached: Reached | None, database: Database | None, *, kept: Iterable[str]
) -> Iterator[Finding]:
    """Yield how the policy in force, the workflow files, secrets and people stand.

    `kept` are the names of the secrets in the database.
    """
    try:
        ruling = _ruling(around, database)
    except (DefinitionError, SettingsError) as refusal:
        yield refused("policy", refusal, costs="The bot does not start.")
        yield look_at_channels(around, reached, ())
        return
    policy = ruling.policy
    what = "The policy that people agreed to" if ruling.is_agreed else around.settings.policy_file
    yield ok("policy", f"{what} has {plural(len(policy.rules), 'rule')}.")
    report = _report(around, policy)
    yield _workflows(around.settings.definitions, report)
    yield _secrets(around, policy, frozenset(kept))
    yield _people(policy, report.definitions, reached)
    yield look_at_channels(around, reached, report.definitions)


def _ruling(around: Around, database: Database | None) -> Ruling:
    """Return the policy that counts; the file, where the database cannot say."""
    with suppress(StorageError):
        if database is not None:
            return ruling_of(around.settings, database)
    return Ruling(policy=load_policy(around.settings.policy_file))


def _report(around: Around, policy: Policy) -> Report:
    folder = around.settings.definitions
    actions = all_actions(policy.targets, DatabaseRows(now=around.now))
    return check([folder] if folder.is_dir() else [], actions, policy)


def _workflows(folder: Path, report: Report) -> Finding:
    do = f"Run `interlock check {quote(str(folder))}`; it names each fault at its place."
    if report.errors:
        first = report.errors[0]
        return fail(
            "workflows",
            f"{plural(len(report.errors), 'fault')} in {folder}; the first: {first}",
            costs="A file with a fault keeps the version it had, or cannot be run at all.",
            do=do,
        )
    if not report.definitions:
        return warn(
            "workflows",
            f"There is no workflow in {folder}.",
            costs="There is nothing to run.",
            do="Put a workflow file there; docs/writing-workflows says how.",
        )
    saw = f"{plural(len(report.definitions), 'workflow')} in {folder}"
    if report.warnings:
        costs = "They run, and not in every case as somebody meant."
        return warn(
            "workflows",
            f"{saw}, with {plural(len(report.warnings), 'warning')}; the first:"
            f" {report.warnings[0]}",
            costs=costs,
            do=do,
        )
    return ok("workflows", f"{saw}, {plural(len(files_in([folder])), 'file')}.")


def _secrets(around: Around, policy: Policy, kept: frozenset[str]) -> Finding:
    settings, needed = around.settings, policy.needed_secrets
    held = HeldSecrets(given_sources(settings, around.environment), Redactor(()))
    for refusal in held.learn():
        return refused("secrets", refusal, costs="The bot does not start.")
    try:
        _refuse_keyless(policy, held)
    except SecretError as refusal:
        costs = "No delivery counts, and the bot does not start where INTERLOCK_API is set."
        return refused("secrets", refusal, costs=costs)
    missing = [one for one in held.missing(needed) if plain(one) not in kept]
    if missing and (settings.vault_url or settings.aws_secrets):
        return ok("secrets", f"{plural(len(missing), 'secret')} must come from the store outside.")
    if missing:
        names = ", ".join(f"INTERLOCK_SECRET_{one.upper()}" for one in missing)
        return fail(
            "secrets",
            f"The policy names {', '.join(missing)}, and nothing gives a value.",
            costs="Steps that need one fail.",
            do=f"Keep each with `interlock secret set NAME`, or set {names},"
            " or the same with _FILE to the path of a file.",
        )
    named = plural(len(needed), "secret")
    return ok("secrets", f"The policy names {named}; each has a value.")


def _refuse_keyless(policy: Policy, held: HeldSecrets) -> None:
    for name, one in (policy.webhooks or {}).items():
        if plain(one.secret) in held.names():
            refuse_keyless(name, one, held.look_at(one.secret))


def _people(policy: Policy, definitions: Iterable[Definition], reached: Reached | None) -> Finding:
    if reached is None:
        return unknown("groups", NOT_ASKED, do=AGAIN)
    names, directory = named_in(policy, definitions), reached.directory
    directory.admit(policy.connect or ())
    wrong, governing = {}, set[PersonId]()
    for name in names:
        try:
            members = directory.members(name, max_age=EFFECT_AGE)
        except NobodyKnownError as refusal:
            wrong[name] = refusal.message
        except PeopleUnreadableError as refusal:
            return unknown("groups", refusal.message, do=AGAIN)
        else:
            governing |= members if name in policy.governors else set()
            if not members:
                wrong[name] = f"Nobody in {name} counts: it is empty, or all are guests or bots."
    if wrong:
        told = [f"{names[name]}: {why}" for name, why in list(wrong.items())[:MOST_NAMED]]
        more = f" {len(wrong) - MOST_NAMED} more." if len(wrong) > MOST_NAMED else ""
        return fail(
            "groups",
            " ".join(told) + more,
            costs="Steps that ask them do not run: nobody can decide.",
            do="Make the group in Slack and put people into it, or correct the name.",
        )
    if policy.publish is not None and len(governing) < ENOUGH_TO_GOVERN:
        return warn(
            "groups",
            f"Only one person is in {joined(list(policy.governors), 'or')}.",
            costs="Nobody can change the policy, nor propose what takes protection away.",
            do="Put a second person there: whoever proposes never decides.",
        )
    return ok("groups", f"Somebody stands behind each of {plural(len(names), 'name')}.")


def named_in(policy: Policy, definitions: Iterable[Definition]) -> Mapping[str, str]:
    """Return every name of people, with the first place where it stands."""
    found: dict[str, str] = {}
    for place, name in named_places(policy):
        found.setdefault(name, f"policy {'.'.join(map(str, place))}")
    for account, name in (policy.operators or {}).items():
        found.setdefault(name, f"policy operators.{account}")
    for one in definitions:
        for role, name in _of_definition(one):
            found.setdefault(name, f"{one.workflow} {role}")
    return found


def _of_definition(one: Definition) -> Iterator[tuple[str, str]]:
    yield "owner", one.owner
    yield "deputy", one.deputy
    yield from (("run_by", name) for name in one.run_by)
    for node in one.outline.values():
        yield from ((node.step.id, name) for name in _asked(node.step))


def _asked(step: object) -> Iterator[str]:
    if isinstance(step, Ask):
        yield from step.ask.asked
    elif isinstance(step, Step) and step.approval is not None:
        for turn in turns_of(step.approval.stages):
            yield from (name for part in turn for name in part.asked)
