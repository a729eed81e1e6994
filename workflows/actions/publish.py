"""`interlock.publish`, `interlock.retire`, `interlock.policy`: changes of what may run here.

One makes a version of a workflow active, one takes a workflow away, one puts another policy in
force. The policy's `publish` section says who has to agree. The catalog is reached through a
port that the bot fills. What is put to people replaces what counted then; once that is
something else, nothing is changed.
"""

from typing import Annotated, Protocol

from pydantic import StringConstraints

from workflows.actions.base import Action, Call, Concern, Effect, Happened, Model, Plan
from workflows.errors import NotPerformedError

PORT = "catalog"
CHANGES_OF_THE_CATALOG = frozenset({"interlock.publish", "interlock.retire", "interlock.policy"})
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Publication(Model):
    """A version of a workflow that shall be active, and which one it replaces, if any.

    `author` is whoever wrote it, if that is somebody else than who proposes it. `origin` says
    where the text came from, `notes` what the checks said of it.
    """

    workflow: Name
    version: Digest
    replaces: Digest | None = None
    author: str | None = None
    origin: str | None = None
    notes: str | None = None


class Retirement(Model):
    """A workflow that nobody shall start any more, and its active version."""

    workflow: Name
    version: Digest


class PolicyChange(Model):
    """Another policy, and the one it replaces. The author is as of a `Publication`."""

    policy: Digest
    replaces: Digest
    author: str | None = None


class CatalogPort(Protocol):
    """The port to the catalog. Every method may raise `ActionError`."""

    def publication_concern(self, what: Publication) -> Concern:
        """Return who answers for the workflow, and who wrote or published the version."""

    def retirement_concern(self, what: Retirement) -> Concern:
        """Return who answers for the workflow."""

    def publication_plan(self, what: Publication, *, by_run: str) -> Plan:
        """Return what would change, in words, and what would be replaced.

        Raises:
            ActionFailedError: another version is active than the one to be replaced, or whoever
                asked for the run may not propose what takes protection away.
        """

    def retirement_plan(self, what: Retirement) -> Plan:
        """Return what would be taken away.

        Raises:
            ActionFailedError: another version is active.
        """

    def publish(self, what: Publication, *, by_run: str) -> None:
        """Make the version active.

        Raises:
            ActionFailedError: another version is active than the one to be replaced.
        """

    def retire(self, what: Retirement, *, by_run: str) -> None:
        """Take the workflow away.

        Raises:
            ActionFailedError: another version is active.
        """

    def policy_concern(self, what: PolicyChange) -> Concern:
        """Return who governs, and who wrote the change."""

    def policy_plan(self, what: PolicyChange) -> Plan:
        """Return what would be different, in words.

        Raises:
            ActionFailedError: another policy is in force than the one to be replaced.
        """

    def change_policy(self, what: PolicyChange, *, by_run: str) -> None:
        """Put the policy in force.

        Raises:
            ActionFailedError: another policy is in force than the one to be replaced.
        """

    def policy_was_changed_by(self, run: str) -> bool:
        """Say whether that run has put a policy in force."""

    def was_changed_by(self, workflow: str, run: str) -> bool:
        """Say whether that run has changed this workflow's place in the catalog."""


class Changed(Model):
    """What both give: which version is active now, none after a retirement."""

    workflow: str
    active: Digest | None


class PublishAction(Action[Publication, Changed]):
    """Makes a version the active one."""

    name = "interlock.publish"
    effect = Effect.WRITE
    takes = Publication
    gives = Changed

    def describe(self, arguments: Publication) -> str:
        return f"Publish {arguments.workflow} {arguments.version[:8]}"

    def concern(self, arguments: Publication, call: Call) -> Concern:
        return _catalog(call).publication_concern(arguments)

    def plan(self, arguments: Publication, call: Call) -> Plan:
        return _catalog(call).publication_plan(arguments, by_run=_run(call))

    def perform(self, arguments: Publication, call: Call) -> Changed:
        _catalog(call).publish(arguments, by_run=_run(call))
        return Changed(workflow=arguments.workflow, active=arguments.version)

    def probe(self, arguments: Publication, call: Call) -> Happened:
        return _happened(call, arguments.workflow)


class RetireAction(Action[Retirement, Changed]):
    """Takes a workflow away; its runs go on."""

    name = "interlock.retire"
    effect = Effect.WRITE
    takes = Retirement
    gives = Changed

    def describe(self, arguments: Retirement) -> str:
        return f"Retire {arguments.workflow}"

    def concern(self, arguments: Retirement, call: Call) -> Concern:
        return _catalog(call).retirement_concern(arguments)

    def plan(self, arguments: Retirement, call: Call) -> Plan:
        return _catalog(call).retirement_plan(arguments)

    def perform(self, arguments: Retirement, call: Call) -> Changed:
        _catalog(call).retire(arguments, by_run=_run(call))
        return Changed(workflow=arguments.workflow, active=None)

    def probe(self, arguments: Retirement, call: Call) -> Happened:
        return _happened(call, arguments.workflow)


class InForce(Model):
    """What it gives: the digest of the policy in force."""

    policy: Digest


class PolicyAction(Action[PolicyChange, InForce]):
    """Puts another policy in force."""

    name = "interlock.policy"
    effect = Effect.WRITE
    takes = PolicyChange
    gives = InForce

    def describe(self, arguments: PolicyChange) -> str:
        return f"Put policy {arguments.policy[:8]} in force"

    def concern(self, arguments: PolicyChange, call: Call) -> Concern:
        return _catalog(call).policy_concern(arguments)

    def plan(self, arguments: PolicyChange, call: Call) -> Plan:
        return _catalog(call).policy_plan(arguments)

    def perform(self, arguments: PolicyChange, call: Call) -> InForce:
        _catalog(call).change_policy(arguments, by_run=_run(call))
        return InForce(policy=arguments.policy)

    def probe(self, arguments: PolicyChange, call: Call) -> Happened:
        del arguments
        is_done = _catalog(call).policy_was_changed_by(_run(call))
        return Happened.YES if is_done else Happened.NO


def _happened(call: Call, workflow: str) -> Happened:
    return Happened.YES if _catalog(call).was_changed_by(workflow, _run(call)) else Happened.NO


def _catalog(call: Call) -> CatalogPort:
    port: CatalogPort | None = call.ports.get(PORT)
    if port is None:
        raise NotPerformedError("No catalog is open here.", error_class="no_catalog")
    return port


def _run(call: Call) -> str:
    return call.key.partition("/")[0]
