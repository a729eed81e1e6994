"""Which policy counts: the one in the file, or the one that people agreed to.

Once the policy in force gates publications, it counts until they agree to another one, whatever
its file says. The trail holds its digest, and the text that is kept has to have that digest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.library import POLICY
from bot.settings import Settings, SettingsError
from bot.stored_texts import read_policy_text
from storage.catalog_history import told_policy
from storage.published import active_policy, active_version, policy_since, policy_text
from storage.transaction import Database
from workflows.errors import DefinitionError, UnreadableVersionError
from workflows.loading import load_policy
from workflows.moments import stamp
from workflows.own_workflows import PUBLISH
from workflows.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The policy that something is judged by, and how the file stands to what is in force."""

    policy: Policy
    is_agreed: bool = False  # People agreed to it; else it is what a file says.
    differs: bool = False
    since: datetime | None = None  # When what is in force, and differs, came into force.

    @property
    def remark(self) -> str:
        """Return what to know of the file that differs, nothing where it does not."""
        if self.since is None:
            return ""
        if self.is_agreed:
            return (
                f"The file differs from the policy in force since {stamp(self.since)}, which"
                " counts here; `--policy FILE` judges by the file."
            )
        return (
            f"The file counts here. It differs from the policy in force since {stamp(self.since)},"
            " until `interlock serve` starts again."
        )

    @property
    def data(self) -> dict[str, object]:
        """Return the same as data."""
        since = None if self.since is None else stamp(self.since)
        return {"policy_agreed": self.is_agreed, "file_differs_since": since}


def in_force(database: Database, read_file: Callable[[], Policy]) -> Policy:
    """Return the policy that counts. The file is read only where it is the one.

    Raises:
        SettingsError: the text of the policy in force, or which one it is, was changed by hand,
            or another release wrote it.
        DefinitionError: the file counts, and cannot be used.
    """
    found = gating(database)
    return read_file() if found is None else found


def policy_of(settings: Settings, database: Database) -> Policy:
    """Return the policy that counts, for whoever reads beside a bot.

    Raises:
        SettingsError, DefinitionError: as `in_force`.
    """
    return in_force(database, lambda: load_policy(settings.policy_file))


def ruling_of(settings: Settings, database: Database) -> Ruling:
    """Return the policy that counts, and whether its file says something else.

    Raises:
        SettingsError, DefinitionError: as `in_force`.
    """
    agreed = gating(database)
    if agreed is None:
        policy = load_policy(settings.policy_file)
        differs = active_policy(database, POLICY) != policy.digest
    else:
        policy, differs = agreed, agreed.digest != _digest_of(settings)
    since = policy_since(database, POLICY) if differs else None
    return Ruling(policy=policy, is_agreed=agreed is not None, differs=differs, since=since)


def _digest_of(settings: Settings) -> str:
    """Return the digest of the policy file, nothing where it cannot be used."""
    try:
        return load_policy(settings.policy_file).digest
    except DefinitionError:
        return ""


def gating(database: Database) -> Policy | None:
    """Return the policy in force, if it gates publications; earlier releases kept no text.

    Raises:
        SettingsError: as `in_force`.
    """
    digest = active_policy(database, POLICY)
    told = told_policy(database)
    if told != digest and told != active_policy(database, POLICY):  # And stays so.
        raise SettingsError(
            f"Which policy is in force was changed in the database: it names {_short(digest)}, and"
            f" the log {_short(told)}.",
            hint="Restore the database from before that, then start again.",
        )
    kept = None if digest is None else policy_text(database, digest)
    # The workflow by which changes are proposed is there under such a policy alone.
    is_gated = active_version(database, PUBLISH) is not None
    if digest is None or (kept is None and not is_gated):
        return None
    if kept is None:
        raise SettingsError(
            f"The text of the policy in force ({digest[:8]}) is not stored any more.",
            hint="Restore the database from before that, then start again.",
        )
    try:
        found = read_policy_text(kept, digest)
    except UnreadableVersionError as error:
        raise SettingsError(error.message, hint=error.hint) from error
    return None if found.publish is None else found


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[:8]
