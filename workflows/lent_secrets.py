"""The secrets that one call of an action may use: looked up when it asks, and each use told."""

from collections.abc import Callable
from dataclasses import dataclass

from workflows.definition import Definition
from workflows.errors import SecretNotGivenError
from workflows.policy import Policy
from workflows.secret_book import SecretBook, plain
from workflows.secret_use import why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class LentSecrets:
    """Gives a call of `definition` what its file and the policy give it, and nothing else."""

    book: SecretBook
    definition: Definition
    policy: Policy
    used: Callable[[str, int], None] = lambda _name, _version: None

    def reveal(self, name: str) -> str:
        why = why_not(name, self.definition, self.policy)
        if why is not None:
            raise SecretNotGivenError(
                why, hint="Name it under `secrets:` in the workflow, and in the policy."
            )
        found = self.book.find(name)
        self.used(plain(name), found.version)
        return found.value


@dataclass(frozen=True, slots=True)
class ChoiceSecrets:
    """Gives the reads behind a form's choices what their service needs.

    Which services those are was checked when the workflow was published.
    """

    book: SecretBook

    def reveal(self, name: str) -> str:
        return self.book.find(name).value
