"""What a definition or policy file says, as a value, and where in the file each part stands.

`yaml_document` reads it; a file that reads as it did before is not parsed, and has no places.
"""

from dataclasses import dataclass

from workflows.entry import Json
from workflows.fault import Fault, Mark, Place, written

MOST_BYTES = 64 * 1024
MOST_DEPTH = 24
MOST_INTEGER = 2**53 - 1  # The integers that every reader of JSON agrees on.


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file's value, the places of its parts, and what is wrong with its YAML."""

    file: str
    value: Json
    keys: dict[Place, Mark]
    values: dict[Place, Mark]
    faults: tuple[Fault, ...]

    @property
    def is_unparsed(self) -> bool:
        """Say whether nobody has looked into the file."""
        return self.value is None and not self.faults

    def fault(
        self,
        path: Place,
        what: str,
        right: str = "",
        *,
        at_key: bool = False,
        warning: bool = False,
    ) -> Fault:
        """Return a fault at `path`, or at the nearest part around it that the file has."""
        mark = self._mark(path, at_key=at_key)
        return Fault(
            file=self.file,
            line=mark.line,
            column=mark.column,
            path=written(path),
            what=what,
            right=right,
            is_warning=warning,
        )

    def _mark(self, path: Place, *, at_key: bool) -> Mark:
        places = (self.keys, self.values) if at_key else (self.values, self.keys)
        for place in places:
            if path in place:
                return place[path]
        around = path[:-1]
        # What is missing is shown where the thing that lacks it is named.
        return self._mark(around, at_key=True) if path else Mark(line=1, column=1)


def unparsed(file: str) -> Document:
    """Return the document of a file that was not parsed: it has no places."""
    return Document(file=file, value=None, keys={}, values={}, faults=())


def read_document(text: str, file: str) -> Document:
    """Return what `text` says and everything that is wrong with its YAML."""
    # A start on files that are known parses none, and does without the library.
    from workflows.yaml_document import read_yaml  # noqa: PLC0415 - as said.

    return read_yaml(text, file)
