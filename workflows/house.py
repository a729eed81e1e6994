"""Everything the engine is given, in one value, so that a test builds the same engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, Protocol

from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.dispatch import Dispatcher
from workflows.entry import RunId
from workflows.errors import SecretError
from workflows.people import People, Person, PersonId
from workflows.policy import Policy
from workflows.policy_roles import Role
from workflows.references import NoReferences, References
from workflows.roles import RolesNow
from workflows.secret_book import SecretBook
from workflows.step_up import Vault
from workflows.store import Due, Store


class Definitions(Protocol):
    """Finds definitions: the active one of a name, or the one a run is bound to."""

    def active(self, name: str) -> Definition:
        """Return the active version.

        Raises:
            UnknownWorkflowError: there is none; the hint names the nearest.
        """

    def version(self, digest: str) -> Definition:
        """Return the definition of that version, active or not.

        Raises:
            UnknownWorkflowError: it was never published here.
            UnreadableVersionError: only a newer release can read it.
        """


def no_vault() -> NoReturn:
    """Refuse: this process was given no place for secrets.

    Raises:
        SecretError: always.
    """
    raise SecretError("This process keeps no secrets.", hint="Ask the bot that serves.")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The parts the engine works with. `name` says which process this is.

    `redact` replaces every secret the bot holds; `holds_secret` says whether one stands in a
    text. `new_id` gives 32 hex digits that were never given before. `effects_wait` says why
    no effect may begin just now, None when they may.
    `alerts` is the channel for what more people than those of a run have to see; empty, it is
    the run's own.
    `retells` takes the run whose story a language model is to tell anew, and does so later; None
    where there is no model.
    `vault` seals people's secrets; opening it may make its key, so it is asked for only where
    there is one, and never inside a unit.
    """

    store: Store
    dispatcher: Dispatcher
    definitions: Definitions
    policy: Callable[[], Policy]
    actions: Mapping[str, Action[Any, Any]]
    people: People
    secrets: SecretBook
    redact: Callable[[str], str]
    holds_secret: Callable[[str], bool]
    new_id: Callable[[], str]
    now: Callable[[], datetime]
    name: str
    ports: Mapping[str, Any] = field(default_factory=dict)
    most_runs: int | None = None  # Runs that have begun and not ended; the others queue.
    effects_wait: Callable[[], str | None] = lambda: None
    vault: Callable[[], Vault] = no_vault
    references: References = field(default_factory=NoReferences)
    alerts: str = ""
    retells: Callable[[Due], None] | None = None
    branches: int = 16  # Of one run that may be at work at the same moment.

    def deciding(self, who: PersonId, run: RunId) -> Person:
        """Return somebody who is about to decide something of a run.

        Raises:
            NotAllowedError: they audit its workflow.
            PeopleUnreadableError: who they are could not be read.
            UnknownRunError: there is none.
        """
        about = self.store.run(run).workflow if self.policy().bound(Role.AUDITOR) else None
        return self.roles.deciding(who, about)

    @property
    def roles(self) -> RolesNow:
        """Return what people are by the policy that is active now."""
        return RolesNow(policy=self.policy(), people=self.people)
