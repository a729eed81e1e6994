"""Which policy counts: the one in the file, or the one that people agreed to.

Once the policy in force gates publications, it counts until they agree to another one, whatever
its file says. The trail holds its digest, and the text that is kept has to have that digest.
"""

from collections.abc import Callable

from pydantic import ValidationError

from bot.library import POLICY, is_genuine
from bot.settings import Settings, SettingsError
from storage.published import active_policy, active_version, policy_text
from storage.transaction import Database
from workflows.loading import load_policy
from workflows.own_workflows import PUBLISH
from workflows.policy import Policy


def in_force(database: Database, read_file: Callable[[], Policy]) -> Policy:
    """Return the policy that counts. The file is read only where it is the one.

    Raises:
        SettingsError: the text of the policy in force was changed by hand, or another release
            wrote it.
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


def gating(database: Database) -> Policy | None:
    """Return the policy in force, if it gates publications; earlier releases kept no text.

    Raises:
        SettingsError: as `in_force`.
    """
    digest = active_policy(database, POLICY)
    kept = None if digest is None else policy_text(database, digest)
    # The workflow by which changes are proposed is there under such a policy alone.
    is_gated = active_version(database, PUBLISH) is not None
    if digest is None or (kept is None and not is_gated):
        return None
    if kept is None or not is_genuine(kept, digest):
        raise SettingsError(
            f"The stored text of the policy in force ({digest[:8]}) was changed by hand.",
            hint="Restore the database from before that, then start again.",
        )
    try:
        found = Policy.model_validate_json(kept)
    except ValidationError as error:
        raise SettingsError(
            f"Another release wrote the policy in force ({digest[:8]}).",
            hint="Bring every process to that release.",
        ) from error
    return None if found.publish is None else found
