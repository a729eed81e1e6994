"""The rows of one table as the entries tell them, however many they are."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias

from storage.change import stored_on_sqlite
from storage.pile import Pile

Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = dict[str, Any]


class ToldRows:
    """Rows under their keys, as a dictionary has them; what is read is changed by `put` alone."""

    def __init__(
        self, names: Sequence[str], columns: Sequence[str], *, by: str | None, is_sqlite: bool
    ) -> None:
        """`names` are those of a key; `by` is a column that rows are looked for by as well."""
        self._names = tuple(names)
        self._columns = tuple(columns)
        self._by = by
        self._is_sqlite = is_sqlite
        self._pile = Pile()

    def put(self, key: Key, row: Mapping[str, Any]) -> None:
        """Keep a row with all of its columns."""
        mark = "" if self._by is None else repr(row[self._by])
        values = tuple([row[name] for name in self._columns])
        self._pile.put(self.name_of(key), (key, values), mark=mark)

    def get(self, key: Key) -> Row | None:
        """Return the row under a key, as told or as stored."""
        return self.named(self.name_of(key))

    def named(self, name: str) -> Row | None:
        """Return the row under a key by the text that `name_of` gives for it."""
        found = self._pile.get(name)
        return None if found is None else self._row(found[1])

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Yield all keys and rows; nothing may be put there meanwhile."""
        for key, values in self._pile.values():
            yield key, self._row(values)

    def values(self) -> Iterator[Row]:
        """Yield all rows, likewise."""
        for _, values in self._pile.values():
            yield self._row(values)

    def like(self, where: Mapping[str, Any]) -> list[tuple[Key, Row]]:
        """Return the rows that look like `where`, found by their key or by `by` if it has them."""
        return [
            (key, row)
            for key, row in self._near(where)
            if all(
                {**row, **dict(zip(self._names, key, strict=True))}.get(name) == one
                for name, one in where.items()
            )
        ]

    def name_of(self, key: Key) -> str:
        """Return one text for each key, the same for one that is told and one that is stored."""
        if len(key) == 1 and type(key[0]) is str and key[0].isascii():
            return f"={key[0]}"  # Most are so, and the other way takes four times as long.
        return repr(tuple(_one_form(as_stored(one, is_sqlite=self._is_sqlite)) for one in key))

    def _near(self, where: Mapping[str, Any]) -> Iterator[tuple[Key, Row]]:
        if set(self._names) <= where.keys():
            key = tuple(where[name] for name in self._names)
            row = self.get(key)
            if row is not None:
                yield key, row
        elif self._by is not None and self._by in where:
            for _, (key, values) in self._pile.marked(repr(where[self._by])):
                yield key, self._row(values)
        else:
            yield from self.items()

    def _row(self, values: Sequence[Any]) -> Row:
        return dict(zip(self._columns, values, strict=True))


def as_stored(value: Any, *, is_sqlite: bool) -> Any:  # noqa: ANN401  a value of any column
    """Return a told value as a driver hands out what was stored of it."""
    if isinstance(value, Enum):
        return value.value
    if not is_sqlite:
        return value
    if isinstance(value, datetime):
        return stored_on_sqlite(value)
    return int(value) if isinstance(value, bool) else value


def _one_form(value: Any) -> Any:  # noqa: ANN401  of any column of a key
    return value.astimezone(UTC) if isinstance(value, datetime) else value
