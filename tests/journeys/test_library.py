"""Each shipped workflow through Slack, once: command, form, cards, end; and its target counts.

The command is the one that each page of docs/library/ has people type in the demo; what it leaves
open is filled into the form. What is asserted is the record that each target keeps by itself.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.library import Library, furnished
from sandbox.demo.stage import Stage
from sandbox.person import Person
from sandbox.seen import SeenMessage
from sandbox.targets import accounts, ledger, releases
from storage.history import read_run
from storage.listing import ListedRun, Wanted, list_runs
from tests.docs.pages import ROOT
from tests.journeys.company import PATIENCE, SHIPPED
from tests.journeys.day import STAFF, Day, day_at_work
from tests.sandbox.payload_checks import complaints_about
from workflows.replay import replay
from workflows.run import Phase

SLOWLY = 0.02
PAGES = [one.read_text() for one in sorted((ROOT / "docs/library").glob("*.md"))]
DEMO = re.compile(
    r"^Demo: as (?P<who>\w+), `(?P<typed>/ops run (?P<workflow>[a-z-]+).*?)`", re.MULTILINE
)
TYPED = {
    one["workflow"]: (one["who"], one["typed"]) for page in PAGES for one in DEMO.finditer(page)
}
LONGER = timedelta(hours=1, minutes=5)  # Past what most of them wait for.


@dataclass
class House:
    """A day at the company with the library beside it."""

    day: Day
    library: Library

    def changed(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return what the registry recorded of things of a kind: which, and to what."""
        return [
            (one.name, one.fields) for one in self.library.registry.effects() if one.kind == kind
        ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    found: list[Library] = []
    with ExitStack() as stack:

        def prepare(stage: Stage) -> None:
            found.append(stack.enter_context(furnished(stage, SHIPPED)))

        home: Path = tmp_path_factory.mktemp("library")
        with day_at_work(home, prepare=prepare) as day:
            for workflow in TYPED:
                day.stage.slack.workspace.add_channel(workflow, members=list(STAFF))
            yield House(day=day, library=found[0])
            assert complaints_about(day.stage.slack.recorder) == []


@dataclass
class Walk:
    """One run, from the command to its end. `deciders` agree to every card, in this order."""

    house: House
    workflow: str
    by: str
    deciders: Sequence[str]
    waits: timedelta = LONGER
    agreed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def channel(self) -> str:
        return f"#{self.workflow}"

    def person(self, name: str) -> Person:
        return self.house.day.stage.slack.workspace.person(name)

    def starts(self, typed: str, form: Mapping[str, object] | None) -> None:
        """Have somebody type the command, and fill in the form if it leaves something open."""
        person = self.person(self.by)
        person.command(typed, channel=self.channel)
        if form is not None:
            person.wait_for_view("")
            person.submit(dict(form))

    def ends(self) -> str:
        """Agree to what is asked and let time go by where the run waits; return its end."""
        patience = time.monotonic() + PATIENCE
        while time.monotonic() < patience:
            run = self.run()
            if run is not None and run.status.is_end:
                return run.status.value
            if not self._agrees() and run is not None and self._is_asleep(run):
                self.house.day.later(self.waits)
            time.sleep(SLOWLY)  # The bot works in threads of its own.
        raise AssertionError(f"{self.workflow} does not come to its end: {self.run()}")

    def rests(self) -> ListedRun:
        """Agree to what is asked until the run waits for a moment, and return it."""
        patience = time.monotonic() + PATIENCE
        while time.monotonic() < patience:
            run = self.run()
            if not self._agrees() and run is not None and self._is_asleep(run):
                return run
            time.sleep(SLOWLY)
        raise AssertionError(f"{self.workflow} does not come to rest: {self.run()}")

    def run(self) -> ListedRun | None:
        wanted = Wanted(workflow=self.workflow)
        found = list_runs(self.house.day.bot.core.memory.database, wanted, most=1)
        return found[0] if found else None

    def _agrees(self) -> bool:
        """Have the next person agree to a card that still asks; say whether one did."""
        for card in self._open_cards():
            for name in self.deciders:
                if (card.ts, name) not in self.agreed:
                    self.agreed.add((card.ts, name))
                    self._presses(self.person(name), card)
                    return True
        return False

    def _open_cards(self) -> list[SeenMessage]:
        workspace = self.house.day.stage.slack.workspace
        threads = (
            one
            for root in workspace.messages(self.channel)
            for one in workspace.messages(self.channel, thread=root)
        )
        return [one for one in threads if _label(one)]

    def _presses(self, person: Person, card: SeenMessage) -> None:
        person.click(_label(card), message=card)
        if person.view is not None:  # It wants to be read whole, or a reason.
            reasons = {"reason": "as agreed"} if "Why do you approve?" in person.view.words else {}
            person.submit(reasons)

    def _is_asleep(self, run: ListedRun) -> bool:
        with self.house.day.bot.core.memory.database.read() as connection:
            state = replay(run.id, read_run(connection, run.id))
        phases = {one.phase for one in state.steps.values()}
        return Phase.TIMED in phases and Phase.ASKED not in phases


def _label(card: SeenMessage) -> str:
    """Return the button that agrees, nothing where a card asks no more, or for one of several."""
    agree = ("Approve: ", "Approve all ", "Review all")
    return next((one for one in card.buttons if one.startswith(agree)), "")


def walked(
    house: House,
    workflow: str,
    form: Mapping[str, object] | None,
    *deciders: str,
    waits: timedelta = LONGER,
) -> None:
    by, typed = TYPED[workflow]
    walk = Walk(house=house, workflow=workflow, by=by, deciders=deciders, waits=waits)
    walk.starts(typed, form)

    assert walk.ends() == "done"


def test_a_refund_moves_money_once(house: House) -> None:
    form = {"Amount in cents": "700", "Reason": "Broken"}
    walked(house, "refund-customer", form, "ana")

    assert [one.amount for one in house.day.stage.shop.effects("ord_1001")] == [700]


def test_a_large_invoice_is_paid_once_after_a_director_agreed(house: House) -> None:
    walked(house, "pay-vendor", None, "ana", "dora")

    assert house.changed("invoices") == [("inv-502", {"state": "paid", "paid": 1250000})]


def test_a_credential_is_issued_and_the_old_one_ends_an_hour_later(house: House) -> None:
    walked(house, "rotate-credential", None, "ivan")

    (first, issued), (second, ended) = house.changed("credentials")
    assert first == second == "shop-api"
    assert issued["current"] == issued["previous"] + 1
    assert ended == {"previous": 0}


def test_access_is_given_for_a_while_and_goes_by_itself(house: House) -> None:
    until = house.day.time() + timedelta(minutes=30)
    form = {
        "Account": "rita",
        "Role": "operator",
        "Until": int(until.timestamp()),
        "What for": "To look at it",
    }
    walked(house, "grant-access", form, "ivan")

    (_, given), (_, back) = house.changed("grants")
    assert given == {"role": "operator"}
    assert back != given


def test_access_stays_where_its_run_is_cancelled_before_the_moment(house: House) -> None:
    until = house.day.time() + timedelta(days=1)
    form = {
        "Account": "omar",
        "Role": "reader",
        "Until": int(until.timestamp()),
        "What for": "To look at it",
    }
    walk = Walk(house=house, workflow="grant-access", by="rita", deciders=["ivan"])
    walk.starts("/ops run grant-access", form)
    run = walk.rests()
    walk.person("rita").command(f"/ops cancel {run.id} no longer needed", channel=walk.channel)

    assert walk.ends() == "cancelled"
    assert [fields for name, fields in house.changed("grants") if name == "omar"] == [
        {"role": "reader"}
    ]


def test_a_release_goes_out(house: House) -> None:
    walked(house, "deploy-release", None, "ivan")

    assert house.changed("deployments") == [("web", {"release": "v1.7"})]


def test_a_branch_goes_back(house: House) -> None:
    walked(house, "roll-back-release", None, "ivan")

    assert [one.release for one in releases.effects(house.day.stage.releases)] == ["v1.5"]


def test_a_feature_reaches_everybody_stage_by_stage(house: House) -> None:
    walked(house, "ramp-flag", None, "ivan")

    assert [fields["percent"] for _, fields in house.changed("flags")] == [5, 25, 100]


def test_a_name_points_elsewhere(house: House) -> None:
    walked(house, "change-dns", None, "ivan")

    assert house.changed("dns") == [("www.example.test", {"value": "192.0.2.11"})]


def test_a_schema_is_migrated_by_its_own_program(house: House) -> None:
    walked(house, "migrate-database", None, "ivan")

    did = [(one.way, one.version) for one in ledger.effects(house.library.ledger)]
    assert did[-1] == ("up", 6)


def test_hosts_are_drained_on_one_card_and_removed_one_by_one(house: House) -> None:
    walked(
        house,
        "decommission-hosts",
        None,
        "ivan",
        waits=timedelta(days=2, minutes=5),
    )

    changed = house.library.registry.effects()
    hosts = sorted((one.name, one.what) for one in changed if one.kind == "hosts")
    assert len(hosts) == 4
    assert [name for name, _ in hosts] == ["web-1", "web-1", "web-2", "web-2"]


def test_a_customer_is_erased(house: House) -> None:
    walked(house, "erase-customer", None, "omar")

    removed = [one for one in house.library.registry.effects() if one.kind == "customers"]
    assert [(one.what, one.name) for one in removed] == [("remove", "cus-107")]


def test_stale_accounts_are_deleted_and_nothing_else(house: House) -> None:
    stage = house.day.stage
    before = accounts.count(stage.accounts)
    walked(house, "purge-stale-accounts", {}, "omar")

    gone = accounts.effects(stage.accounts)
    assert len(gone) == before - accounts.count(stage.accounts) > 0


def test_what_asks_only_and_what_looks_only_come_to_their_end(house: House) -> None:
    walked(house, "request-approval", {"What for": "A day off"}, "ivan")
    walked(house, "nightly-check", {})


def test_a_person_is_erased_after_two_governors_agreed(house: House) -> None:
    rita = Walk(house=house, workflow="request-approval", by="rita", deciders=["ivan"])
    rita.starts("/ops run request-approval", {"What for": "A day off"})
    assert rita.ends() == "done"

    person = {"Whom: a name, or an account such as slack:T0ACME:U0RITA": "slack:T0ACME:U0RITA"}
    form = {**person, "Ticket of the request": "PRIV-12"}
    walked(house, "erase-person", form, "ivan", "dora")

    run = Walk(house=house, workflow="erase-person", by="", deciders=()).run()
    assert run is not None
    with house.day.bot.core.memory.database.read() as connection:
        executed = [one for one in read_run(connection, run.id) if one.kind == "action.executed"]
    assert len(executed) == 2
