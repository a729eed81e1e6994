"""The app in a whole organisation: one log, whichever of its workspaces people act from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.workspaces.host import Host
from storage.history import read_run
from storage.journal import utc_now
from storage.listing import Wanted, list_runs
from tests.journeys.campus import ACME, ORG, Branch, Campus, campus_at
from tests.journeys.test_digest_answers import fingerprint_in, until
from workflows.store import Subject


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    with campus_at(tmp_path, organisation=True) as opened:
        people(opened.branch(ORG))
        yield opened


def people(org: Branch) -> None:
    """Let Nora and Finn belong to both workspaces; Rita and the rest are of the north."""
    org.workspace.add_person("nora", teams=["T0NORTH", "T0SOUTH"])
    org.workspace.add_person("finn", teams=["T0NORTH", "T0SOUTH"])
    org.workspace.add_person("gus", other_team="T0ELSEWHERE")
    everybody = ["rita", "nora", "finn", "gus"]
    org.workspace.add_channel("grid", members=everybody, team="T0NORTH")
    org.workspace.add_group("leads", members=["nora", "finn"], team="T0SOUTH")
    org.workspace.join_group("nora", "support")


def says(campus: Campus, instead_of: str, words: str) -> None:
    """Write something else into the policy and into the workflow."""
    stage = campus.stage
    for file in (stage.policy, stage.workflows / "refund-customer.yaml"):
        file.write_text(file.read_text().replace(instead_of, words))


@contextmanager
def at_work(campus: Campus) -> Iterator[tuple[Host, Branch]]:
    says(campus, "@finance-leads", "@leads")
    with campus.serving() as host:
        done = campus.installs(ORG)
        assert "at work in Northwind" in done.text, done.text
        org = campus.branch(ORG)
        org.workspace.join("interlock", "grid")
        yield host, org


@pytest.mark.trap(10)
def test_people_act_from_any_of_its_workspaces(campus: Campus) -> None:
    with at_work(campus) as (host, org):
        root = org.fills("rita", channel="#grid")
        org.person("nora").goes_to("T0SOUTH")
        org.approve(org.card(root, channel="#grid"), by="nora")
        org.ends(root)
        with host.tenants.entered(ORG) as door:
            database = door.bot.core.memory.database
            (run,) = list_runs(database, Wanted())
            with database.read() as connection:
                kinds = [one.kind for one in read_run(connection, run.id)]

    assert "approval.granted" in kinds
    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_one_person_in_two_workspaces_counts_once(campus: Campus) -> None:
    says(campus, "approve: 1", "approve: 2")
    with at_work(campus) as (_, org):
        card = org.card(org.fills("rita", channel="#grid"), channel="#grid")
        org.approve(card, by="nora")
        org.person("nora").goes_to("T0SOUTH")
        org.approve(org.now(card), by="nora")
        tally = org.workspace.wait_for_change(card, "1 of 2").words
        undecided = campus.stage.shop.effects("ord_1001")
        org.person("finn").goes_to("T0SOUTH")
        org.approve(org.now(card), by="finn")
        org.ends(org.workspace.messages("#grid")[0])

    assert "2 of 2" not in tally
    assert undecided == []
    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_the_requester_approves_from_no_other_workspace_either(campus: Campus) -> None:
    with at_work(campus) as (_, org):
        card = org.card(org.fills("nora", channel="#grid"), channel="#grid")
        org.person("nora").goes_to("T0SOUTH")
        org.approve(card, by="nora")
        org.person("nora").wait_for_ephemeral("someone else")

    assert campus.stage.shop.effects("ord_1001") == []


def test_somebody_from_outside_the_organisation_never_counts(campus: Campus) -> None:
    with at_work(campus) as (_, org):
        card = org.card(org.fills("rita", channel="#grid"), channel="#grid")
        org.approve(card, by="gus")
        org.person("gus").wait_for_ephemeral("another workspace")

    assert campus.stage.shop.effects("ord_1001") == []


def test_a_group_that_stands_in_two_workspaces_is_meant_by_its_id_only(campus: Campus) -> None:
    campus.branch(ORG).workspace.add_group("leads", members=["rita"], team="T0NORTH")
    with at_work(campus) as (_, org):
        root = org.fills("rita", channel="#grid")
        org.waits(
            lambda: "stopped" in org.told("/ops runs", by="rita", channel="#grid") or None, "a stop"
        )

    assert campus.stage.shop.effects("ord_1001") == []
    assert root


def test_a_workspace_beside_the_organisation_is_a_log_of_its_own(campus: Campus) -> None:
    with at_work(campus) as (host, org):
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        org.card(org.fills("rita", channel="#grid"), channel="#grid")
        seen = acme.told("/ops runs")

        assert sorted(host.tenants.all) == [ORG, ACME]
    assert "Refund" not in seen


def test_an_organisation_that_removes_the_app_is_served_no_more(campus: Campus) -> None:
    with at_work(campus) as (host, org):
        org.workspace.uninstall()
        org.waits(lambda: ORG not in host.tenants.all or None, "the end")


def test_people_are_known_as_such_in_what_they_write(campus: Campus) -> None:
    with at_work(campus) as (host, org):
        org.joined()
        rita, dora = org.person("rita"), org.person("dora")
        rita.say(f"<@{org.workspace.bot.id}> what can you do?", channel="#grid")
        helped = rita.wait_for_ephemeral("What you can ask").words
        with host.tenants.entered(ORG) as door:
            made = door.bot.core.digests.post(at=utc_now())
            door.bot.outbox.nudge()
            rows = door.bot.core.store.outbox
        digest = org.waits(lambda: next(iter(org.roots()), None), "a digest")
        # Nobody reads and answers within the instant until the bot knows that it stands.
        until(lambda: rows.place_of(Subject.DIGEST, made.id) is not None)
        dora.say(fingerprint_in(digest), thread=digest)
        answered = dora.wait_for_ephemeral("").words

    assert "refund-customer" in helped
    assert "Recorded: you hold the head of" in answered
