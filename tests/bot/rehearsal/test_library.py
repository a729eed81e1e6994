"""The library's workflows do to real targets what they say, once, by the targets' own records."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import workflows
from bot.cli import main
from bot.rehearsal.ground import Ground
from bot.rehearsal.house import Given, SetClock, rehearsal_of
from bot.rehearsal.playing import CHANNEL
from bot.rehearsal.trying import Agreeing
from sandbox.demo.library import Library, furnished, together
from sandbox.demo.stage import Stage
from sandbox.seed import GROUPS
from sandbox.targets import ledger
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.catalog import Catalog
from workflows.entry import Json, RunId
from workflows.loading import load_policy
from workflows.orders import Start
from workflows.policy import Policy
from workflows.rehearsal.dry import Notes
from workflows.rehearsal.people import Believing, Cast, id_of
from workflows.rehearsal.tape import Tape
from workflows.run import Status

SHIPPED = Path(workflows.__file__).parent / "definitions"
LIBRARY = SHIPPED / "library"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TICKET = {"person": "@nobody", "ticket": "PRIV-1"}


class Shelf:
    """The demo's library, its targets open, without a Slack or a bot."""

    def __init__(self, library: Library, policy: Policy, folder: Path, ground: Ground) -> None:
        self.library = library
        self.policy = policy
        self.actions = all_actions(policy.targets, DatabaseRows(now=lambda: NOON))
        self.catalog = Catalog.load([folder], self.actions, policy)
        self.ground = ground
        self._runs = 0
        self._seen = 0

    def run(self, workflow: str, by: str, inputs: Mapping[str, Json]) -> Status:
        """Run a workflow to its end, with everybody agreeing, and return how it ended."""
        clock = SetClock(NOON)
        self._runs += 1
        found = {one.workflow: one for one in self.catalog.definitions()}
        versions = {one.version: one for one in found.values()}
        with self.ground.store(clock) as store:
            tape = Tape(workflow, {}, lambda run: versions[store.run(RunId(run)).version])
            given = Given(
                definitions=found,
                policy=self.policy,
                actions=self.actions,
                people=Cast({f"@{name}": members for name, members in GROUPS.items()}),
                references=Believing(found[workflow]),
                first_id=self._runs * 1000,  # Targets know each run by its id.
            )
            player = Agreeing(rehearsal_of(store, clock, given), tape, self.actions, notes=Notes())
            start = Start(
                workflow=workflow, inputs=inputs, trigger="slash", person=id_of(by), channel=CHANNEL
            )
            return store.run(player.play(start, ())).status

    def changes(self) -> list[tuple[str, str, Mapping[str, Json]]]:
        """Return what the registry says was changed since the last time it was asked."""
        every = self.library.registry.effects()
        seen, self._seen = self._seen, len(every)
        return [(one.what, one.name, one.fields) for one in every[seen:]]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    home = tmp_path_factory.mktemp("library")
    stage = Stage(home=home, slack=None, shop=None, accounts=home, releases=home)
    stage.workflows.mkdir()
    stage.policy.write_text((SHIPPED / "demo-policy.yaml").read_text())
    with furnished(stage, SHIPPED) as library, Ground() as ground:
        yield Shelf(library, load_policy(stage.policy), stage.workflows, ground)


def test_a_credential_is_rotated(shelf: Shelf) -> None:
    status = shelf.run("rotate-credential", "petra", {"credential": "shop-api"})

    assert status is Status.DONE
    assert shelf.changes() == [
        ("put", "shop-api", {"current": 4, "previous": 3}),
        ("put", "shop-api", {"previous": 0}),
    ]


def test_access_is_given_for_a_while(shelf: Shelf) -> None:
    until = "2026-03-02T18:00Z"
    inputs = {"account": "rita", "role": "admin", "until": until, "why": "Moving the shop."}
    status = shelf.run("grant-access", "rita", inputs)

    assert status is Status.DONE
    assert shelf.changes() == [
        ("put", "rita", {"role": "admin"}),
        ("put", "rita", {"role": "reader"}),
    ]


def test_a_feature_reaches_more_people_in_three_stages(shelf: Shelf) -> None:
    status = shelf.run("ramp-flag", "petra", {"flag": "new-checkout"})

    assert status is Status.DONE
    assert [fields["percent"] for _, _, fields in shelf.changes()] == [5, 25, 100]


def test_a_name_points_elsewhere(shelf: Shelf) -> None:
    status = shelf.run("change-dns", "petra", {"name": "www.example.test", "address": "192.0.2.11"})

    assert status is Status.DONE
    assert shelf.changes() == [("put", "www.example.test", {"value": "192.0.2.11"})]


def test_an_invoice_is_paid_once(shelf: Shelf) -> None:
    paid = shelf.run("pay-vendor", "omar", {"invoice": "inv-501"})
    again = shelf.run("pay-vendor", "omar", {"invoice": "inv-501"})

    assert [paid, again] == [Status.DONE, Status.DONE]
    assert shelf.changes() == [("put", "inv-501", {"state": "paid", "paid": 48000})]


def test_a_release_is_deployed(shelf: Shelf) -> None:
    status = shelf.run("deploy-release", "petra", {"release": "v1.7"})

    assert status is Status.DONE
    assert shelf.changes() == [("put", "web", {"release": "v1.7"})]


def test_hosts_are_drained_and_removed(shelf: Shelf) -> None:
    status = shelf.run("decommission-hosts", "petra", {"hosts": ["web-1", "web-2"]})
    left = [one["name"] for one in shelf.library.registry.store.things("hosts")]

    assert status is Status.DONE
    assert [(what, name) for what, name, _ in shelf.changes()] == [
        ("put", "web-1"),
        ("put", "web-2"),
        ("remove", "web-1"),
        ("remove", "web-2"),
    ]
    assert left == ["web-3", "web-4", "web-5", "web-6"]


def test_a_schema_is_migrated_by_its_own_program(shelf: Shelf) -> None:
    status = shelf.run("migrate-database", "petra", {"version": 6, "backup": True})

    assert status is Status.DONE
    assert [(one.way, one.version) for one in ledger.effects(shelf.library.ledger)] == [
        ("up", 5),
        ("up", 6),
    ]


def test_a_customer_is_erased_unless_on_hold(shelf: Shelf) -> None:
    gone = shelf.run("erase-customer", "rita", {"customer": "cus-107", "ticket": "PRIV-1"})
    held = shelf.run("erase-customer", "rita", {"customer": "cus-108", "ticket": "PRIV-2"})

    assert [gone, held] == [Status.DONE, Status.DONE]
    assert shelf.changes() == [("remove", "cus-107", {})]


def test_an_erasure_needs_a_log(shelf: Shelf) -> None:
    # The whole erasure is played on a real log by the tests of `interlock.erase`.
    assert shelf.run("erase-person", "omar", TICKET) is Status.EXCEPTION
    assert shelf.catalog.find("erase-person").step("erase").undo == "none"


def test_the_library_is_sound_and_passes_its_tests() -> None:
    policy = load_policy(LIBRARY / "policy.yaml")
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: NOON))
    told = CliRunner().invoke(main, ["test", str(LIBRARY)])

    assert Catalog.load([LIBRARY], actions, policy).faults == ()
    assert told.exit_code == 0, told.output


def test_both_policies_of_the_demo_are_read_as_one() -> None:
    demo, library = (
        (SHIPPED / "demo-policy.yaml").read_text(),
        (LIBRARY / "policy.yaml").read_text(),
    )
    both = load_policy(together(demo, library, ["change-dns"]))
    own, others = load_policy(library).rules, load_policy(demo).rules

    assert [one.name for one in both.rules] == [one.name for one in (*own, *others)]
    assert both.rules[: len(own)] == own
    assert both.rules[len(own)].when == f'{others[0].when} && workflow != "change-dns"'
    assert set(both.services) == {"shop", "registry"}
    assert set(both.programs) == {"git", "python"}
