"""How a process that publishes nothing keeps to what the serving ones published.

Definitions it takes from the database. The policy stands in a file on each machine, so it is
compared: two processes under two policies would withdraw each other's approvals for ever.
"""

import time
from collections.abc import Callable

from bot.library import POLICY, Library
from bot.settings import SettingsError
from storage.published import active_policy
from storage.transaction import Database
from workflows.errors import StorageError
from workflows.policy import Policy

LOOK_SECONDS = 15.0


def follow(library: Library, policy: Policy, database: Database) -> None:
    """Take up the published definitions, under the policy in force.

    Raises:
        SettingsError: `policy` is another one, or none was published yet.
    """
    in_force = active_policy(database, POLICY)
    if in_force is None:
        raise SettingsError(
            "No policy has been published yet.", hint="Start `interlock serve` first."
        )
    if in_force != policy.digest:
        raise SettingsError(
            "The policy file here is not the policy in force.",
            hint="Copy it from the machine that serves, or start `interlock serve` with it first.",
        )
    library.follow()


class PolicyWatch:
    """Notices that another policy came into force."""

    def __init__(
        self, policy: Policy, database: Database, *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._digest = policy.digest
        self._database = database
        self._ticks = ticks
        self._looked_at = ticks()

    def problem(self) -> str | None:
        """Return what is wrong if the policy in force is another one by now."""
        if self._ticks() - self._looked_at < LOOK_SECONDS:
            return None
        self._looked_at = self._ticks()
        try:
            in_force = active_policy(self._database, POLICY)
        except StorageError:
            return None  # Away: whoever needs the database says so.
        return None if in_force == self._digest else "Another policy is in force by now."
