"""Definitions made ready to be walked: with what their expressions may name, once per version."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.expression import Scope
from workflows.step_scope import StepScopes
from workflows.template import resolve_text

MOST_KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A definition and the environments of its expressions."""

    definition: Definition
    scopes: StepScopes


class Procedures:
    """Keeps the procedures of the versions in use. Safe to use from many threads."""

    def __init__(self, actions: Mapping[str, Action[Any, Any]]) -> None:
        self._actions = actions
        self._kept: dict[str, Procedure] = {}
        self._lock = Lock()

    def of(self, definition: Definition) -> Procedure:
        """Return the procedure of a definition."""
        with self._lock:
            found = self._kept.get(definition.version)
            if found is None:
                scopes = StepScopes(definition, self._actions)
                found = Procedure(definition=definition, scopes=scopes)
                self._kept[definition.version] = found
                while len(self._kept) > MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
            return found

    def lock_of(self, definition: Definition, scope: Scope) -> str | None:
        """Return the name of the lock a run of these inputs needs, if it needs one.

        Raises:
            ExpressionError: the name cannot be made of these inputs.
        """
        if definition.lock is None:
            return None
        environment = self.of(definition).scopes.start()
        return resolve_text(definition.lock, scope, environment)
