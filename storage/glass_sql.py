"""The statements of the glass: its uses, and those whose review is overdue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from storage.change import RowSql, read_moment, read_moment_or_none
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import UnknownRunError
from workflows.glass import Finding, GlassUse
from workflows.quick_json import loaded

_COLUMNS = (
    "id",
    "run_id",
    "request_id",
    "step",
    "used_by",
    "used_at",
    "review_by",
    "people",
    "asked",
    "reviewers",
    "verdict",
    "reviewed_by",
    "reviewed_at",
    "review_entry",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM glass_use"  # noqa: S608  our own column names


class GlassSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def use(self, ident: str) -> GlassUse:
        """Return a use of the glass.

        Raises:
            UnknownRunError: there is none.
        """
        found = self.run(f"{_SELECT} WHERE id = ?", ident).fetchone()
        if found is None:
            raise UnknownRunError(f"There is no use of the glass {ident}.")
        return _use(found)

    def use_of(self, request: str) -> GlassUse | None:
        """Return the use over a request, None if there is none."""
        found = self.run(f"{_SELECT} WHERE request_id = ?", request).fetchone()
        return None if found is None else _use(found)

    def overdue(self, now: datetime) -> Sequence[GlassUse]:
        """Return the uses that should have been reviewed by `now`, oldest first."""
        found = self.run(
            f"{_SELECT} WHERE reviewed_at IS NULL AND review_by <= ? ORDER BY review_by, id", now
        )
        return [_use(one) for one in found.fetchall()]

    def unreviewed(self, *, most: int) -> Sequence[GlassUse]:
        """Return uses that nobody has reviewed yet, those first that should be soonest."""
        found = self.run(
            f"{_SELECT} WHERE reviewed_at IS NULL ORDER BY review_by, id LIMIT ?", most
        )
        return [_use(one) for one in found.fetchall()]


def _use(values: Sequence[Any]) -> GlassUse:
    found = dict(zip(_COLUMNS, values, strict=True))
    verdict, reviewed_by = found["verdict"], found["reviewed_by"]
    return GlassUse(
        id=found["id"],
        run=RunId(found["run_id"]),
        request=RequestId(found["request_id"]),
        step=found["step"],
        by=Ref(found["used_by"]),
        at=read_moment(found["used_at"]),
        review_by=read_moment(found["review_by"]),
        names=tuple(loaded(found["people"])),
        asked=tuple(loaded(found["asked"])),
        reviewers=tuple(Ref(one) for one in loaded(found["reviewers"])),
        finding=None if verdict is None else Finding(verdict),
        reviewed_by=None if reviewed_by is None else Ref(reviewed_by),
        reviewed_at=read_moment_or_none(found["reviewed_at"]),
        review_entry=found["review_entry"],
    )
