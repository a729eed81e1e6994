"""Which policy counts: the one in the file, or the one that people agreed to.

Once the policy in force gates publications, it counts until they agree to another one, whatever
its file says. The trail holds its digest, and the text that is kept has to have that digest.
"""

from collections.abc import Callable

from pydantic import ValidationError

from bot.library import POLICY, is_genuine
from bot.settings import SettingsError
from storage.published import active_policy, policy_text
from storage.transaction import Database
from workflows.policy import Policy


def in_force(database: Database, read_file: Callable[[], Policy]) -> Policy:
    """Return the policy that counts. The file is read only where it is the one.

    Raises:
        SettingsError: the text of the policy in force was changed by hand, or another release
            wrote it.
        DefinitionError: the file counts, and cannot be used.
    """
    gating = _gating(database)
    return read_file() if gating is None else gating


def _gating(database: Database) -> Policy | None:
    """Return the policy in force, if it gates publications; without a text it gated nothing."""
    digest = active_policy(database, POLICY)
    kept = None if digest is None else policy_text(database, digest)
    if digest is None or kept is None:
        return None
    if not is_genuine(kept, digest):
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
