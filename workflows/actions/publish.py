"""`interlock.publish` makes a version the active one, `interlock.retire` takes a workflow away.

Both change the catalog, so the policy's `publish` section says who has to agree, wherever the
step stands. The catalog is reached through a port that the bot fills. A version that is put to
people replaces the one that was active then; once that is another one, nothing is changed.
"""

from typing import Annotated, Protocol

from pydantic import StringConstraints

from workflows.actions.base import Action, Call, Concern, Effect, Happened, Model, Plan
from workflows.errors import NotPerformedError

PORT = "catalog"
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


class CatalogPort(Protocol):
    """The port to the catalog. Every method may raise `ActionError`."""

    def publication_concern(self, what: Publication) -> Concern:
        """Return who answers for the workflow, and who wrote or published the version."""

    def retirement_concern(self, what: Retirement) -> Concern:
        """Return who answers for the workflow."""

    def publication_plan(self, what: Publication) -> Plan:
        """Return what would change, in words, and what would be replaced.

        Raises:
            ActionFailedError: another version is active than the one to be replaced.
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
        return _catalog(call).publication_plan(arguments)

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


def _happened(call: Call, workflow: str) -> Happened:
    return Happened.YES if _catalog(call).was_changed_by(workflow, _run(call)) else Happened.NO


def _catalog(call: Call) -> CatalogPort:
    port: CatalogPort | None = call.ports.get(PORT)
    if port is None:
        raise NotPerformedError("No catalog is open here.", error_class="no_catalog")
    return port


def _run(call: Call) -> str:
    return call.key.partition("/")[0]
