"""What files said when they were read before, so that a file that did not change is not parsed."""

from typing import Protocol

from workflows.definition import Definition


class ReadBefore(Protocol):
    """Knows texts of workflow files by their digest, and what they said."""

    def recall(self, text: str) -> Definition | None:
        """Return the definition in this very text, None where it is not known."""

    def note(self, text: str, definition: Definition) -> None:
        """Remember what a text said that was read without a fault of form."""


class NothingRead:
    """Knows no text, so that every file is parsed."""

    def recall(self, text: str) -> Definition | None:
        del text
        return None

    def note(self, text: str, definition: Definition) -> None:
        del text, definition
