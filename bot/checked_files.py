"""Remembers which policies and workflow files were found sound, so that a start need not ask again.

Digests are kept of what was checked, under which policy, by which code and actions; and of the
texts of files, with what each said: a workflow in its author's order, of a policy its digest. A
file that reads as one did before is not parsed, if what it said was published or stored. Losing
the list costs one slower start, and an entry that somebody adds by hand leaves out a warning, or
has a file taken for another version that is stored; whoever can do that can write the file as
well.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import workflows
from bot.stored_texts import is_genuine
from workflows.actions.base import Action
from workflows.catalog import Catalog
from workflows.check import together
from workflows.definition import Definition, meaning
from workflows.errors import DefinitionError
from workflows.loading import load_policy, read_text
from workflows.policy import Policy

NAME = "checked.json"
SOUND, SAID = "sound", "said"
MOST_KEPT = 2_000

log = logging.getLogger(__name__)


class CheckedFiles:
    """The list in one home folder; it is what files said `before` to whoever reads them."""

    def __init__(
        self,
        home: Path,
        *,
        is_published: Callable[[str], bool] = lambda _version: False,
        stored_policy: Callable[[str], str | None] = lambda _digest: None,
    ) -> None:
        """`is_published` knows workflows' versions, `stored_policy` gives the text of a policy."""
        self._path = home / NAME
        self._is_published = is_published
        self._stored_policy = stored_policy
        self._code = _code_digest()
        self._sound, self._said = _read(self._path)
        self._is_new = False

    def policy(self, file: Path) -> Policy:
        """Return the policy in `file`, checked if it is not known to be sound.

        Raises:
            DefinitionError: it cannot be used; every fault is named.
        """
        text = read_text(file)
        known = self._recall_policy(text)
        if known is not None:
            return known
        policy = load_policy(
            text, str(file), is_known=lambda digest: self._name(digest) in self._sound
        )
        self._note(text, policy.digest)
        self._remember([self._name(policy.digest)])
        return policy

    def policy_as_written(self, file: Path) -> Policy:
        """Return what a policy file says, unchecked: checking needs the expression language.

        Raises:
            DefinitionError: it cannot be read.
        """
        text = read_text(file)
        known = self._recall_policy(text)
        return known or load_policy(text, str(file), is_known=lambda _digest: True)

    def _recall_policy(self, text: str) -> Policy | None:
        """Return the sound policy in this very text, None where it is not known."""
        digest = self._said.get(self._name_of(text))
        if digest is None or self._name(digest) not in self._sound:
            return None
        stored = self._stored_policy(digest)
        if stored is None or not is_genuine(stored, digest):
            return None
        try:
            return Policy.model_validate_json(stored)
        except ValidationError:
            return None

    def catalog(
        self, folder: Path, actions: Mapping[str, Action[Any, Any]], policy: Policy
    ) -> Catalog:
        """Return the sound definitions in `folder`, each checked if it is not known to be."""
        about = f"{policy.digest}/{_actions_digest(actions)}"
        catalog = Catalog.load(
            [folder],
            actions,
            policy,
            is_known=lambda version: self._name(version, about) in self._sound,
            before=self,
        )
        # What has a warning is told of at each start.
        told = {one.file for one in catalog.faults}
        every = catalog.definitions()
        quiet = [one.version for one in every if catalog.files[one.workflow] not in told]
        whole = [] if told else [together(every)]
        self._remember([self._name(one, about) for one in (*quiet, *whole)])
        return catalog

    def read(self, folder: Path) -> Catalog:
        """Return what stands in `folder` as far as it can be read, checked no closer."""
        catalog = Catalog.read([folder], self)
        self._remember([])
        return catalog

    def recall(self, text: str) -> Definition | None:
        said = self._said.get(self._name_of(text))
        if said is None:
            return None
        try:
            definition = Definition.from_canonical(said.encode())
        except DefinitionError:
            return None
        return definition if self._is_published(definition.version) else None

    def note(self, text: str, definition: Definition) -> None:
        # The stored text of a version has its fields by the alphabet; a form has its author's.
        self._note(text, json.dumps(meaning(definition)))

    def _note(self, text: str, said: str) -> None:
        name = self._name_of(text)
        self._is_new |= self._said.get(name) != said
        self._said[name] = said

    def _name_of(self, text: str) -> str:
        return self._name(hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest(), SAID)

    def _name(self, digest: str, about: str = "") -> str:
        return hashlib.sha256(f"{self._code}/{about}/{digest}".encode()).hexdigest()

    def _remember(self, names: Sequence[str]) -> None:
        news = [name for name in names if name not in self._sound]
        if not news and not self._is_new:
            return
        self._sound |= dict.fromkeys(news)
        kept = {
            SOUND: list(self._sound)[-MOST_KEPT:],
            SAID: dict(list(self._said.items())[-MOST_KEPT:]),
        }
        fresh = self._path.with_name(f"{NAME}.{os.getpid()}")  # Others may read it just now.
        try:
            fresh.write_text(json.dumps(kept))
            fresh.replace(self._path)
        except OSError:
            log.info("which files are sound was not kept", extra={"path": str(self._path)})
        else:
            self._is_new = False


def _read(path: Path) -> tuple[dict[str, None], dict[str, str]]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}, {}
    kept = found if isinstance(found, dict) else {}
    sound, said = kept.get(SOUND), kept.get(SAID)
    return (
        dict.fromkeys(one for one in sound if isinstance(one, str))
        if isinstance(sound, list)
        else {},
        {name: str(one) for name, one in said.items()} if isinstance(said, dict) else {},
    )


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
