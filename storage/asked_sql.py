"""Reads a request together with whom it is about, in one look.

Who is left out stands in the request's row, so the database finds whoever acts for them itself,
and a server is asked but once.
"""

from collections.abc import Collection
from datetime import datetime

from storage.change import RowSql
from storage.delegations import STANDS, read_words, to_person_question
from storage.request_rows import read_requests
from storage.run_sql import request_question
from storage.transaction import Question
from workflows.entry import Ref
from workflows.people import PersonId
from workflows.people_store import AskedNow

_OWN = "FROM approval_request r"
_LEFT_OUT = {
    True: f"SELECT one.value {_OWN}, json_each(r.excluded) AS one WHERE r.id = ?",
    False: f"SELECT json_array_elements_text(r.excluded::json) {_OWN} WHERE r.id = ?",
}


class AskedSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def asked(
        self, request: str, *, now: datetime, people: Collection[str], stand_in: str | None
    ) -> AskedNow | None:
        """Return a request with whoever acts at `now` for those whom it leaves out.

        `people` are pseudonyms to look for too; with `stand_in` comes for whom they stand in.
        """
        asked, acting, *more = self.ask(
            request_question(request),
            self._acting(request, now),
            *([_people(people)] if people else []),
            *([] if stand_in is None else [to_person_question(stand_in, now=now)]),
        )
        if not asked:
            return None
        (found,) = read_requests(asked)
        words = [] if stand_in is None else read_words(more.pop())
        known = [*acting, *(one for some in more for one in some)]
        known += [(word.giver, giver) for word, giver in words]
        return AskedNow(
            request=found,
            acting=frozenset(Ref(ref) for ref, _ in acting),
            people={Ref(ref): PersonId(who) for ref, who in known if who is not None},
            words=[word for word, _ in words],
        )

    def _acting(self, request: str, now: datetime) -> Question:
        words = (
            "SELECT d.stand_in, s.external_id FROM delegation d"  # noqa: S608  fixed texts
            " LEFT JOIN audit_subject s ON s.ref = d.stand_in"
            f" WHERE d.giver IN ({_LEFT_OUT[self._is_sqlite]})"
            f" AND d.stand_in IS NOT NULL AND {STANDS} AND d.until > ?"
        )
        return words, (request, now)


def _people(refs: Collection[str]) -> Question:
    marks = ", ".join("?" * len(refs))
    words = f"SELECT ref, external_id FROM audit_subject WHERE ref IN ({marks})"  # noqa: S608  marks
    return words, sorted(refs)
