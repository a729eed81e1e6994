"""A digest's numbers are those that an outsider counts in the signed entries, whatever happened."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.digest import Digests
from bot.digest_making import Made
from tests.bot.shown import no_version
from tests.properties.office import Office
from tests.properties.test_runs import ONE
from tests.world import CHANGE, UNREACHABLE, failing, id_of
from workflows.entry import RunId
from workflows.errors import InterlockError
from workflows.gate import Verdict
from workflows.moments import moment
from workflows.orders import Edit

ENDS = {"done": "done", "denied": "refused", "expired": "refused", "withdrawn": "refused"}
SAID = {
    "approval.granted": "approved",
    "approval.denied": "denied",
    "approval.expired": "expired",
    "approval.withdrawn": "withdrawn",
}
WHAT = ("start", "start", "approve", "approve", "deny", "skip", "retry", "edit", "cancel")
DOINGS = st.tuples(st.sampled_from([*WHAT, "wait", "wait", "post"]), st.integers(0, 5))


class Weeks:
    """An office in which something happens, and the digests that were made of it."""

    def __init__(self, home: Path) -> None:
        self.office = Office(home, definitions=(CHANGE,), policy=ONE)
        self.runs: list[RunId] = []
        self.made: list[Made] = []

    @property
    def digests(self) -> Digests:
        office = self.office
        return Digests(office.store, list, version=no_version, now=office.clock, channel="ops")

    def do(self, what: str, which: int) -> None:
        """Have something happen to one of the runs; what cannot be is refused."""
        house, engine = self.office.house, self.office.house.engine
        if what == "start":
            self.runs.append(house.start())
        elif what == "wait":
            self.office.clock.forward(timedelta(hours=5 * which, milliseconds=3))
        elif what == "post":
            self.made.append(self.digests.post())
        elif self.runs:
            run = self.runs[which % len(self.runs)]
            match what:
                case "approve":
                    house.vote(run, Verdict.APPROVE, by="ana")
                case "deny":
                    house.vote(run, Verdict.DENY, by="ben")
                case "edit":
                    wanted = {"by": 4 + which}
                    asked = house.request(run).id
                    engine.edit(Edit(request=asked, person=id_of("rita"), inputs=wanted))
                case "cancel":
                    engine.cancel(run, person=id_of("rita"), reason="enough")
                case _:
                    self._fail(run, minutes=7 * which + 1)
                    engine.settle_exception(run, "change", person=id_of("omar"), answer=what)

    def _fail(self, run: RunId, *, minutes: int) -> None:
        """Have a run approved, and its step fail until a person has to say how it goes on."""
        self.office.world.trouble = failing("before", UNREACHABLE, times=9)
        self.office.clock.forward(timedelta(minutes=minutes))
        self.office.house.vote(run, Verdict.APPROVE, by="ana")
        for _ in range(3):
            self.office.work()
            self.office.clock.forward(timedelta(minutes=20))
        self.office.world.trouble = lambda _place: None

    def lines(self) -> Sequence[Mapping[str, Any]]:
        """Return the signed lines, read without any of our tables or classes."""
        with self.office.database.read() as connection:
            found = connection.exec_driver_sql("SELECT line FROM audit_entry ORDER BY idx")
            return [json.loads(one.line) for one in found]


def counted(lines: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> Counter[str]:
    """Count runs that began and ended, and requests by what they came to, with the median."""
    found = Counter[str]()
    raised: dict[str, datetime] = {}
    came_to: dict[str, tuple[str, datetime]] = {}
    for one in lines:
        at, kind, data = moment(one["ts"]), one["kind"], one["data"]
        if since <= at < until:
            found["started"] += kind == "run.started"
            if kind in ("run.finished", "run.cancelled"):
                found[ENDS.get(data.get("outcome", ""), "failed")] += 1
        if kind == "approval.requested":
            raised[data["request"]] = at
        if kind in SAID and data.get("settles", True):
            came_to[data["request"]] = SAID[kind], at
    told = [(asked, said, at) for asked, (said, at) in came_to.items() if since <= at < until]
    found.update(said for _, said, _ in told)
    took = [at - raised[asked] for asked, said, at in told if said in ("approved", "denied")]
    if took:
        found["median_ms"] = round(median(one.total_seconds() for one in took) * 1000)
    return found


def told_by(made: Made) -> Counter[str]:
    """Return the same of what a digest says."""
    found = Counter[str]()
    for one in made.figures["workflows"]:
        found.update({name: one[name] for name in ("started", "done", "refused", "failed")})
    decided = made.figures["decisions"]
    found.update({name: decided[name] or 0 for name in (*SAID.values(), "median_ms")})
    return found


@given(doings=st.lists(DOINGS, min_size=10, max_size=40))
@settings(max_examples=25 if os.environ.get("INTERLOCK_PROPERTIES") != "long" else 1_000)
def test_a_digest_says_what_the_signed_entries_say(doings: list[tuple[str, int]]) -> None:
    home = Path(tempfile.mkdtemp(prefix="interlock-digests-"))
    weeks = Weeks(home)
    for what, which in doings:
        with suppress(InterlockError):
            weeks.do(what, which)
        weeks.office.work()
    weeks.office.clock.forward(timedelta(seconds=2))
    weeks.made.append(weeks.digests.post())
    now, lines = weeks.office.clock(), weeks.lines()
    spans = [(now - timedelta(hours=far), now - timedelta(hours=near)) for far, near in SPANS]
    looks = [weeks.digests.look(since=since, until=until) for since, until in spans]
    posted = list({one.id: one for one in weeks.made}.values())
    weeks.office.close()
    shutil.rmtree(home)

    for made in looks:
        since, until = (moment(made.figures[name]) for name in ("since", "until"))
        event(f"{sorted(+told_by(made))}")
        assert +told_by(made) == +counted(lines, since, until)
    starts = sum(told_by(one)["started"] for one in posted)
    assert starts == sum(one["kind"] == "run.started" for one in lines)
    heads = [(one.figures["head"]["first"], one.figures["head"]["last"]) for one in posted]
    assert [first for first, _ in heads] == [0, *(last + 1 for _, last in heads[:-1])]


SPANS = ((1, 0), (10, 0), (30, 5), (100, 20), (1000, 0))
