"""Puts changes of the catalog to people: each in a run of its own, with one gated step.

A proposed version is published, so that it has its digest and its text is kept; nobody can
start it before it is active. What the run then does is for `bot.catalog_desk`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from bot.catalog_lines import known_version
from bot.core import Core
from bot.governed_changes import ProposalError, admit_change
from bot.library import actions_digest, published
from bot.one_person import one_person
from bot.stored_texts import is_genuine
from bot.wording import who_of
from storage.catalog_history import code_of_versions, open_runs
from storage.listing import listed_run
from storage.published import active_version, canonical_of, known_workflows
from storage.unit import SqlUnit
from workflows.check_proposed import check_proposed
from workflows.definition import Definition
from workflows.entry import Actor, ActorKind, Draft, Json, RunId
from workflows.errors import (
    NotAllowedError,
    UnknownWorkflowError,
    UnreadableVersionError,
)
from workflows.loading import read_policy
from workflows.operators import proposing
from workflows.orders import Start
from workflows.own_workflows import POLICY, PUBLISH, RETIRE, is_own
from workflows.people import CLICK_AGE, PersonId
from workflows.policy_publish import Publish
from workflows.policy_roles import EVERYWHERE
from workflows.secret_use import publishers_of
from workflows.store import Delivery

CLI = "cli"
SAID = ("author", "reason")  # What somebody says of a change; the rest follows from the change.
UNNOTED = "no fault, no warning"
MOST_NOTED = 2_900  # Characters; a little less than an input takes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file as somebody wants it published: its text, its name, and the commit it stands in."""

    text: str
    file: str
    commit: str | None = None
    is_committed: bool = False

    @property
    def words(self) -> str:
        """Say where it comes from."""
        if self.commit is None:
            return self.file
        state = "as committed" if self.is_committed else "with changes that are NOT committed"
        return f"{self.file}, commit {self.commit[:12]}, {state}"

    @property
    def data(self) -> dict[str, Json]:
        """Return what the entry says of it."""
        if self.commit is None:
            return {}
        return {"commit": self.commit, "committed": self.is_committed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A change that was put to people; `run` is None where there is nothing to change.

    One that others put to people before has `is_new` false; `not_taken` names what was said
    this time and is not before people.
    """

    workflow: str
    version: str
    replaces: str | None
    run: str | None = None
    is_new: bool = False
    by: str = ""
    channel: str = ""
    not_taken: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Proposing:
    """Puts changes to people, for somebody on the machine of a bot."""

    def __init__(self, core: Core, account: PersonId) -> None:
        """The `account` has to be one that the policy names a person for.

        Raises:
            ProposalError: the policy gates no publications.
            NotAllowedError: nobody knows who this is, or they may not propose anything.
            PeopleUnreadableError: Slack could not be asked.
        """
        section = core.policy.publish
        if section is None:
            raise ProposalError(
                "The policy has no publish section, so nobody has to be asked.",
                hint="What the files say counts when the bot starts. docs/catalog says how to"
                " have people agree first.",
            )
        self._core = core
        self._person = core.people.person(proposing(account, core.policy, core.people))
        self._admit(section)

    def publish(self, source: Source, *, author: str | None, reason: str) -> Put:
        """Put what a file says to people.

        Raises:
            DefinitionError: the file has faults.
            InterlockError: nothing was proposed.
        """
        core = self._core
        found = check_proposed(
            source.text,
            source.file,
            core.actions,
            policy=core.policy,
            among=core.library.definitions(),
            names=known_workflows(core.store.database),
        )
        self._admit_author(found.definition.workflow)
        self._admit_secrets(found.definition)
        if author is not None:
            one_person(core.people, author)
        notes = tuple(str(one) for one in found.warnings)
        put = replace(self._put(found.definition), warnings=notes)
        if put.replaces == put.version and self._has_its_code(found.definition):
            self._restore(found.definition)
            return put
        admit_change(core, found.definition, by=self._person.id, reason=reason)
        self._publish_version(found.definition, source)
        inputs = {
            "reason": reason,
            "author": author,
            "origin": source.words,
            "notes": "\n".join(_fitting(notes)) or UNNOTED,
        }
        return self._start(PUBLISH, put, inputs, channel=self._channel(found.definition))

    def activate(self, workflow: str, version: str, *, reason: str) -> Put:
        """Put an earlier version to people; the start of its digest is enough.

        Raises:
            InterlockError: nothing was proposed.
        """
        _refuse_own(workflow)
        self._admit_author(workflow)
        definition = self._core.library.version(
            known_version(self._core.store.database, workflow, version)
        )
        self._admit_secrets(definition)
        put = self._put(definition)
        if put.replaces == put.version:
            return put
        admit_change(self._core, definition, by=self._person.id, reason=reason)
        inputs = {"reason": reason, "origin": "published here before"}
        return self._start(PUBLISH, put, inputs, channel=self._channel(definition))

    def retire(self, workflow: str, *, reason: str) -> Put:
        """Put to people that nobody shall start a workflow any more.

        Raises:
            InterlockError: nothing was proposed.
        """
        _refuse_own(workflow)
        self._admit_author(workflow)
        active = self._core.library.active(workflow)
        put, channel = self._put(active), self._channel(active)
        return self._start(RETIRE, put, {"reason": reason}, channel=channel)

    def policy(self, source: Source, *, author: str | None, reason: str) -> Put:
        """Put what a policy file says to those who govern.

        Raises:
            DefinitionError: the file has faults.
            InterlockError: nothing was proposed.
        """
        self._admit_author(EVERYWHERE)
        found = read_policy(source.text, source.file).required()
        if author is not None:
            one_person(self._core.people, author)
        put = Put(workflow="policy", version=found.digest, replaces=self._core.policy.digest)
        if put.replaces == put.version:
            return put
        with self._core.store.begin() as unit:
            unit.keep_policy(found.digest, found.canonical.decode())
        more = {"reason": reason, "author": author, "origin": source.words}
        return self._start(POLICY, put, more, channel=self._core.settings.channel)

    def _admit(self, section: Publish) -> None:
        who, members = self._person, self._core.people.members
        if not who.counts:
            raise NotAllowedError(f"You may not propose anything: {who.why_not}.")
        self._admit_author(None)
        authors = section.authors
        if authors is not None and not any(
            who.id in members(name, max_age=CLICK_AGE) for name in authors
        ):
            raise NotAllowedError(
                "You may not propose changes of the catalog.",
                hint=f"{' and '.join(authors)} may, as the policy says.",
            )

    def _admit_author(self, workflow: str | None) -> None:
        self._core.roles.may_author(self._person.id, workflow)

    def _admit_secrets(self, definition: Definition) -> None:
        """Return if the person may publish what uses each secret of the workflow."""
        core, members = self._core, self._core.people.members
        for secret, names in publishers_of(definition, core.policy, core.actions).items():
            if not any(self._person.id in members(name, max_age=CLICK_AGE) for name in names):
                raise NotAllowedError(
                    f"You may not publish a workflow that uses the secret {secret}.",
                    hint=f"{' and '.join(names)} may, as the policy says.",
                )

    def _put(self, definition: Definition) -> Put:
        return Put(
            workflow=definition.workflow,
            version=definition.version,
            replaces=active_version(self._core.store.database, definition.workflow),
        )

    def _has_its_code(self, definition: Definition) -> bool:
        """Say whether the actions here are those that the version was agreed to with."""
        digest = actions_digest(definition, self._core.actions)
        code = code_of_versions(self._core.store.database)
        return code.get(definition.version, digest) == digest

    def _restore(self, definition: Definition) -> None:
        """Put the text of a version right that somebody changed by hand: its digest proves it."""
        stored = canonical_of(self._core.store.database, definition.version)
        if stored is not None and not is_genuine(stored, definition.version):
            with self._core.store.begin() as unit:
                unit.add_definition(definition.version, definition.canonical.decode())

    def _publish_version(self, definition: Definition, source: Source) -> None:
        if canonical_of(self._core.store.database, definition.version) is not None:
            self._restore(definition)
            return
        with self._core.store.begin() as unit:
            unit.hold_workflow(definition.workflow)
            if unit.is_published(definition.version):
                return  # Somebody did at this very moment, and stays its publisher.
            data = {**published(definition, self._core.actions), **source.data}
            actor = self._actor(unit)
            unit.append(Draft(kind="workflow.published", actor=actor, data=data))
            unit.add_definition(definition.version, definition.canonical.decode())

    def _actor(self, unit: SqlUnit) -> Actor:
        ref = unit.ref(self._person.id, self._person.name)
        return Actor(kind=ActorKind.USER, ref=ref)

    def _start(self, own: str, put: Put, more: Mapping[str, str | None], *, channel: str) -> Put:
        """Start the run of one of our own workflows, unless the same is being asked already."""
        if not channel:
            raise ProposalError(
                "The card would have no channel.",
                hint="Set INTERLOCK_CHANNEL, or give the workflow a channel.",
            )
        about = _about(own, put)
        delivery = self._delivery(own, about)  # Before looking, so that nothing ends unseen.
        for run, given in open_runs(self._core.store.database, own).items():
            if all(given.get(name) == one for name, one in about.items()):
                return self._open(replace(put, run=run), given, more)
        with self._core.store.begin() as unit:
            actor = self._actor(unit)
        asked = {name: one for name, one in {**about, **more}.items() if one}
        started = self._core.engine.start(
            Start(
                workflow=own,
                inputs=asked,
                trigger=CLI,
                actor=actor,
                channel=channel,
                delivery=delivery,
            )
        )
        if not started.is_new:  # Somebody proposed the same at the same moment.
            given = open_runs(self._core.store.database, own).get(started.run, asked)
            return self._open(replace(put, run=started.run), given, more)
        stands = channel.removeprefix("#")
        return replace(put, run=started.run, is_new=True, by=self._person.name, channel=stands)

    def _delivery(self, own: str, about: Mapping[str, str | None]) -> Delivery:
        """Return what makes a proposal that one: what it changes, and how often that ended."""
        said = json.dumps(about, sort_keys=True).encode()
        name, store = hashlib.sha256(said).hexdigest(), self._core.store
        for time in count(1):
            found = Delivery(team="catalog", kind=own, key=f"{name}/{time}")
            earlier = store.started_as(found.start_key)
            if earlier is None or not earlier[0].status.is_end:
                break
        return found

    def _open(self, put: Put, given: Mapping[str, Json], said: Mapping[str, str | None]) -> Put:
        """Return what is before people already, and what of `said` they are not shown."""
        listed = listed_run(self._core.store.database, RunId(put.run or ""))
        others = (one for one in SAID if said.get(one) and said[one] != given.get(one))
        put = replace(put, not_taken=tuple(others))
        if listed is None:
            return put
        who = who_of(listed.requester, listed.requester_name)
        return replace(put, by=who.name, channel=listed.channel)

    def _channel(self, definition: Definition) -> str:
        """Return where the card stands: where people know the workflow now, not where it moves."""
        try:
            known = self._core.library.active(definition.workflow)
        except (UnknownWorkflowError, UnreadableVersionError):
            known = definition
        return known.channel or self._core.settings.channel


def _fitting(notes: Sequence[str]) -> list[str]:
    """Return as many notes as the form of a proposal takes, and how many more there are."""
    kept: list[str] = []
    for number, one in enumerate(notes):
        if sum(map(len, kept)) + len(kept) + len(one) > MOST_NOTED:
            return [*kept, f"… and {len(notes) - number} more: `interlock check` names them all."]
        kept.append(one)
    return kept


def _about(own: str, put: Put) -> dict[str, str | None]:
    """Return the inputs that say what is to change, the same for the same proposal."""
    if own == POLICY:
        return {"policy": put.version, "replaces": put.replaces}
    about: dict[str, str | None] = {"workflow": put.workflow, "version": put.version}
    return about if own == RETIRE else {**about, "replaces": put.replaces}


def _refuse_own(workflow: str) -> None:
    if is_own(workflow):
        raise ProposalError(
            f"{workflow} is Interlock's own; it comes and goes with the policy's publish section."
        )
