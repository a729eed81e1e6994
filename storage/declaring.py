"""Turns a class of annotated columns into a table: the part of SQLAlchemy's ORM that we use.

The ORM itself costs every process 7 MB, and each statement some time, for sessions and
relations that nobody here asks for. A class declared with these names is a plain table: its
columns are attributes, and it stands in statements wherever a table may.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, get_args

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import TypeEngine

T = TypeVar("T")


class Mapped(Generic[T]):
    """Annotates a column with what Python sees of it; with `None` in it, it may be null."""


class Declared(NamedTuple):
    """What `mapped_column` was given, until the class says the column's name and kind."""

    items: tuple[Any, ...]
    options: dict[str, Any]


def mapped_column(*items: Any, **options: Any) -> Declared:  # noqa: ANN401 - as in SQLAlchemy.
    """Say more of a column than its annotation does; takes what `Column` takes."""
    return Declared(items, options)


class Tables:
    """Base of a base of rows; each of that one's subclasses is a table."""

    metadata: ClassVar[MetaData]
    type_annotation_map: ClassVar[Mapping[Any, TypeEngine[Any]]]
    __tablename__: ClassVar[str]
    __table__: ClassVar[Table]
    __table_args__: ClassVar[tuple[Any, ...]] = ()

    def __init_subclass__(cls) -> None:
        if not hasattr(cls, "__tablename__"):
            return
        columns = [cls._column(name, shown) for name, shown in cls.__annotations__.items()]
        cls.__table__ = Table(cls.__tablename__, cls.metadata, *columns, *cls.__table_args__)
        for column in columns:
            setattr(cls, column.name, column)

    @classmethod
    def __clause_element__(cls) -> Table:
        """Return what stands in a statement for this class; SQLAlchemy asks."""
        return cls.__table__

    @classmethod
    def _column(cls, name: str, shown: object) -> "Column[Any]":
        (seen,) = get_args(shown)
        items, options = cls.__dict__.get(name) or mapped_column()
        if not (items and _is_kind(items[0])):
            python = next(one for one in (*get_args(seen), seen) if one is not NoneType)
            items = (cls.type_annotation_map[python], *items)
        return Column(name, *items, nullable=NoneType in get_args(seen), **options)


def _is_kind(item: object) -> bool:
    """Say whether `item` is the kind of a column, and not a constraint on it."""
    return isinstance(item, TypeEngine) or (isinstance(item, type) and issubclass(item, TypeEngine))
