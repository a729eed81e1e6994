"""What stands in the database of versions and policies: believed only as what its digest is of."""

import hashlib
import json
from collections.abc import Iterator

from pydantic import ValidationError

from workflows.definition import Definition
from workflows.errors import AlteredVersionError, DefinitionError, UnreadableVersionError
from workflows.policy import Policy


def is_genuine(stored: str, version: str) -> bool:
    """Say whether a stored text is the one that the version is the digest of."""
    return hashlib.sha256(stored.encode()).hexdigest() == version


def read_version(stored: str, version: str) -> Definition:
    """Return the definition in the stored text of a version.

    Raises:
        AlteredVersionError: it is not the text that the version is the digest of.
        UnreadableVersionError: a newer release wrote it.
    """
    if not is_genuine(stored, version):
        raise AlteredVersionError(
            f"The stored text of version {version[:8]} is not what was published: somebody"
            " changed it in the database. Nothing runs from it.",
            hint="Publish the right file again, or go back to another version.",
        )
    try:
        return Definition.from_canonical(stored.encode())
    except DefinitionError as error:
        raise UnreadableVersionError(
            "This workflow was published by a newer release, which has to go on with it.",
            hint="Bring every process to that release.",
        ) from error


def read_policy_text(stored: str, digest: str) -> Policy:
    """Return the policy in the stored text of a digest.

    Raises:
        AlteredVersionError: it is not the text that the digest is of.
        UnreadableVersionError: another release wrote it.
    """
    if not is_genuine(stored, digest):
        raise AlteredVersionError(
            f"The stored text of the policy {digest[:8]} was changed by hand.",
            hint="Restore the database from before that.",
        )
    try:
        return Policy.model_validate_json(stored)
    except ValidationError as error:
        raise UnreadableVersionError(
            f"Another release wrote the policy {digest[:8]}.",
            hint="Bring every process to that release, then try it again.",
        ) from error


def webhooks_in(stored: str) -> Iterator[str]:
    """Yield the webhooks that the text of a definition names, as far as it can be read at all."""
    try:
        triggers = json.loads(stored).get("triggers")
    except (ValueError, AttributeError):
        return
    for one in triggers if isinstance(triggers, list) else ():
        if isinstance(one, dict) and "webhook" in one:
            yield str(one["webhook"])
