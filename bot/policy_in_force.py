"""Which policy counts: the one in the file, or the one that people agreed to.

Once the policy in force gates publications, it counts until they agree to another one, whatever
its file says. The trail holds its digest, and the text that is kept has to have that digest.
"""

import hashlib

from bot.library import POLICY
from bot.settings import SettingsError
from storage.published import active_policy, policy_text
from storage.transaction import Database
from workflows.policy import Policy


def in_force(database: Database, of_file: Policy) -> Policy:
    """Return the policy that counts, given what the file says.

    Raises:
        SettingsError: the text of the policy in force was changed by hand.
    """
    digest = active_policy(database, POLICY)
    if digest is None or digest == of_file.digest:
        return of_file
    kept = policy_text(database, digest)
    if kept is None:
        return of_file  # It comes from a release that gated nothing.
    if hashlib.sha256(kept.encode()).hexdigest() != digest:
        raise SettingsError(
            f"The stored text of the policy in force ({digest[:8]}) was changed by hand.",
            hint="Put the file back that people agreed to, then start again.",
        )
    found = Policy.model_validate_json(kept)
    return of_file if found.publish is None else found
