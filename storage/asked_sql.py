"""Reads whom a request is about, or would be, in one look.

Whom a request leaves out stands in its row, and who published what runs beside its version, so
the database finds whoever acts for them itself, and a server is asked but once.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from storage.change import RowSql
from storage.delegations import STANDS, read_words, to_person_question
from storage.request_rows import read_requests
from storage.run_sql import request_question
from workflows.entry import PERSON, Ref
from workflows.people import PersonId
from workflows.people_store import AskedNow, ShapingNow

# Each gives rows of why somebody is named, their pseudonym, and who they are if not erased.
_ACTING = "acting"
_ACTS = (
    f"SELECT '{_ACTING}', d.stand_in, s.external_id FROM delegation d"  # noqa: S608  fixed texts
    " LEFT JOIN audit_subject s ON s.ref = d.stand_in"
    f" WHERE d.stand_in IS NOT NULL AND {STANDS} AND d.until > ? AND d.giver IN "
)
_KNOWN = "SELECT '', s.ref, s.external_id FROM audit_subject s WHERE s.ref IN "
_PUBLISHED = (
    "SELECT v.version, v.published_by, s.external_id FROM definition_version v"
    " LEFT JOIN audit_subject s ON s.ref = v.published_by WHERE v.version IN "
)
_PUBLISHER = "SELECT v.published_by FROM definition_version v WHERE v.version IN "

_LEFT_OUT_ON_SQLITE = (
    "(SELECT one.value FROM approval_request r, json_each(r.excluded) AS one WHERE r.id = ?)"
)
_LEFT_OUT = (
    "(SELECT json_array_elements_text(r.excluded::json) FROM approval_request r WHERE r.id = ?)"
)


class AskedSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def asked(
        self, request: str, *, now: datetime, people: Collection[str], stand_in: str | None
    ) -> AskedNow | None:
        """Return a request with whoever acts at `now` for those whom it leaves out.

        `people` are pseudonyms to look for too; with `stand_in` comes for whom they stand in.
        """
        left_out = _LEFT_OUT_ON_SQLITE if self._is_sqlite else _LEFT_OUT
        named = f"{_ACTS}{left_out} UNION ALL {_KNOWN}{_marks(people)}"
        asked, found, *more = self.ask(
            request_question(request),
            (named, (now, request, *people)),
            *([] if stand_in is None else [to_person_question(stand_in, now=now)]),
        )
        if not asked:
            return None
        words = read_words(more[0]) if more else []
        return AskedNow(
            request=read_requests(asked)[0],
            acting=_acting(found),
            people=_people([*found, *(("", word.giver, giver) for word, giver in words)]),
            words=[word for word, _ in words],
        )

    def shaping(
        self, versions: Collection[str], *, now: datetime, people: Collection[str]
    ) -> ShapingNow:
        """Return who published `versions`, and who acts at `now` for them or for `people`."""
        which, who = _marks(versions), _marks(people)
        words = (
            f"{_PUBLISHED}{which} UNION ALL {_KNOWN}{who}"
            f" UNION ALL {_ACTS}({_PUBLISHER}{which}) UNION ALL {_ACTS}{who}"
        )
        (found,) = self.ask((words, (*versions, *people, now, *versions, now, *people)))
        return ShapingNow(
            publishers={
                why: Ref(ref) for why, ref, _ in found if why in versions and ref.startswith(PERSON)
            },
            acting=_acting(found),
            people=_people(found),
        )


def _marks(values: Collection[str]) -> str:
    """Return a mark for each value; an empty list is SQL on SQLite alone, so it holds nothing."""
    return f"({', '.join('?' * len(values)) or 'NULL'})"


def _acting(found: Sequence[Any]) -> frozenset[Ref]:
    return frozenset(Ref(ref) for why, ref, _ in found if why == _ACTING)


def _people(found: Sequence[Any]) -> dict[Ref, PersonId]:
    return {Ref(ref): PersonId(who) for _, ref, who in found if who is not None}
