"""Remembers which policies and workflow files were found sound, so that a start need not ask again.

Only digests are kept: of what was checked, under which policy, by which code and actions. What
runs is always read from the files. Losing the list costs one slower start, and an entry that
somebody adds by hand only leaves out a warning; the engine refuses what it cannot use.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import workflows
from workflows.actions.base import Action
from workflows.catalog import Catalog
from workflows.loading import load_policy
from workflows.policy import Policy

NAME = "checked.json"
MOST_KEPT = 2_000

log = logging.getLogger(__name__)


class CheckedFiles:
    """The list in one home folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / NAME
        self._code = _code_digest()
        self._known = _read(self._path)

    def policy(self, file: Path) -> Policy:
        """Return the policy in `file`, checked if it is not known to be sound.

        Raises:
            DefinitionError: it cannot be used; every fault is named.
        """
        policy = load_policy(file, is_known=lambda digest: self._name(digest) in self._known)
        self._remember([self._name(policy.digest)])
        return policy

    def catalog(
        self, folder: Path, actions: Mapping[str, Action[Any, Any]], policy: Policy
    ) -> Catalog:
        """Return the sound definitions in `folder`, each checked if it is not known to be."""
        about = f"{policy.digest}/{_actions_digest(actions)}"
        catalog = Catalog.load(
            [folder],
            actions,
            policy,
            is_known=lambda version: self._name(version, about) in self._known,
        )
        if not catalog.faults:  # What has a warning is told of at each start.
            self._remember([self._name(one.version, about) for one in catalog.definitions()])
        return catalog

    def _name(self, digest: str, about: str = "") -> str:
        return hashlib.sha256(f"{self._code}/{about}/{digest}".encode()).hexdigest()

    def _remember(self, names: list[str]) -> None:
        news = [name for name in names if name not in self._known]
        if not news:
            return
        self._known |= dict.fromkeys(news)
        kept = list(self._known)[-MOST_KEPT:]
        try:
            self._path.write_text(json.dumps(kept))
        except OSError:
            log.info("which files are sound was not kept", extra={"path": str(self._path)})


def _read(path: Path) -> dict[str, None]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return dict.fromkeys(one for one in found if isinstance(one, str))


@cache
def _code_digest() -> str:
    """Return the digest of the code that checks, so that a new release checks anew."""
    whole = hashlib.sha256()
    for file in sorted(Path(workflows.__file__).parent.rglob("*.py")):
        whole.update(file.read_bytes())
    return whole.hexdigest()


def _actions_digest(actions: Mapping[str, Action[Any, Any]]) -> str:
    versions = {name: one.code_version for name, one in sorted(actions.items())}
    return hashlib.sha256(json.dumps(versions).encode()).hexdigest()
