"""A version counts once its owner and a governor agreed, who neither wrote nor proposed it."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import bot.proposing
from bot.access_orders import AccessOrder
from bot.catalog_story import length_of_story, story_of
from bot.clock_parts import catalog_watch_of, drifts_of
from bot.drift import What
from bot.orders import RunOrder, carry_out
from bot.proposing import Source
from bot.publish_orders import PublishOrder, RetireOrder
from bot.settings import SettingsError
from storage.catalog_history import open_runs
from storage.listing import people_of
from storage.published import canonical_of
from storage.rebuild import check_projections
from storage.verify import verify_database
from tests.bot.catalog import GATED, LOWERED, PLAIN, POLICY, Office
from tests.world import id_of
from workflows.actions.base import Call
from workflows.actions.publish import Changed, Publication, PublishAction
from workflows.actions.slack import SlackPostAction
from workflows.catalog import Catalog
from workflows.entry import Actor, ActorKind, RequestId, RunId
from workflows.errors import (
    AlteredVersionError,
    DefinitionError,
    InDoubtError,
    NotAllowedError,
    NotEligibleError,
    UnknownWorkflowError,
    UnusableDatabaseError,
)
from workflows.gate import Verdict
from workflows.loading import load_definition, read_policy
from workflows.orders import Edit, Moving, Start
from workflows.own_workflows import IN_FULL, PUBLISH, own_workflows
from workflows.own_workflows import POLICY as OWN_POLICY
from workflows.people import PersonId

VIEWED = POLICY.replace("{governors:", "{viewers: ['@ben'], governors:")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = Office(tmp_path)
    yield found
    found.core.memory.database.close()


def test_a_proposal_stays_on_the_version_of_what_judges_it(office: Office) -> None:
    put = office.propose(PLAIN)
    office.settle(put.run)
    wanted = Moving(run=RunId(str(put.run)), person=id_of("omar"), reason="why not")

    with pytest.raises(NotAllowedError, match="stays as it was proposed"):
        office.core.engine.move(wanted)


def test_a_version_is_active_once_owner_and_governor_agreed(office: Office) -> None:
    put = office.propose(PLAIN)
    office.settle(put.run)
    before = office.active()
    office.vote(put.run, "olga")
    office.settle(put.run)
    half = office.active()
    office.agree(put.run, "gina")

    assert (before, half) == (None, None)
    assert office.active() == put.version
    assert office.core.library.active("tidy-up").version == put.version
    activated = office.log("workflow.activated")[-1]
    assert activated.data["by_run"] == put.run
    assert [one.data["outcome"] for one in office.entries(put.run)[-1:]] == ["done"]


def test_the_log_and_the_tables_verify_after_every_sort_of_change(tmp_path: Path) -> None:
    office = Office(tmp_path, has_one_clock=True)
    first = office.propose(PLAIN)
    office.agree(first.run, "olga", "gina")
    office.agree(office.propose(LOWERED, by="omar").run, "olga", "gina")
    back = office.proposing("rita").activate("tidy-up", first.version[:12], reason="Too lax.")
    office.agree(back.run, "olga", "gina")
    gone = office.proposing("rita").retire("tidy-up", reason="Nobody tidies.")
    reached = (back.replaces, office.active())
    office.agree(gone.run, "olga", "gina")
    memory = office.core.memory
    vkey = memory.journal.sequencer.signers[0].vkey
    report = verify_database(office.settings.database_url, [vkey], processes=1)

    assert reached[1] == first.version
    assert office.active() is None
    assert office.log("workflow.retired")[-1].data["by_run"] == gone.run
    assert (report.failures, report.semantics) == ([], [])
    assert list(check_projections(memory.database)) == []
    memory.database.close()


def test_an_answer_that_was_lost_is_found_again_and_nothing_is_done_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    do = PublishAction.perform

    def lost(action: PublishAction, what: Publication, call: Call) -> Changed:
        do(action, what, call)
        raise InDoubtError("the commit's answer was lost", error_class="reply_lost")

    monkeypatch.setattr(PublishAction, "perform", lost)
    put = office.propose(PLAIN)
    office.agree(put.run, "olga", "gina")
    office.settle(put.run)

    assert office.active() == put.version
    assert len(office.log("workflow.activated")) == 1 + len(own_workflows(["@governors"]))
    assert office.entries(put.run)[-1].data["outcome"] == "done"


def test_a_file_is_drift_until_people_agreed_and_a_restart_changes_nothing(office: Office) -> None:
    office.write("files/tidy-up.yaml", PLAIN)
    office.restart()
    first = office.active()
    put = office.propose(PLAIN)
    office.agree(put.run, "olga", "gina")
    office.write("files/tidy-up.yaml", LOWERED)
    office.restart()

    assert first is None
    assert office.active() == put.version
    (office.folder / "files/tidy-up.yaml").unlink()
    office.restart()
    assert office.active() == put.version


def test_who_proposed_who_wrote_and_who_published_never_decide(office: Office) -> None:
    put = office.propose(PLAIN, by="omar", author="@olga")
    office.town.groups["@owners"] |= {"rita"}
    again = office.propose(PLAIN, by="rita")
    office.settle(put.run)

    assert again.run == put.run
    for who in ("omar", "olga"):
        with pytest.raises(NotEligibleError):
            office.vote(put.run, who)


def test_what_is_open_keeps_what_was_said_first_and_names_what_was_not_taken(
    office: Office,
) -> None:
    first = office.propose(PLAIN, author="@dora")
    again = office.propose(PLAIN, by="ben", author="@dora")
    other = office.propose(PLAIN, by="ben", author="@rita")
    source = Source(text=PLAIN, file="tidy-up.yaml")
    silent = office.proposing("ben").publish(source, author=None, reason="")

    assert {one.run for one in (again, other, silent)} == {first.run}
    assert (again.is_new, again.by, again.channel) == (False, first.by, "ops")
    assert first.by
    assert [one.not_taken for one in (again, other, silent)] == [(), ("author",), ()]


def test_one_person_who_is_owner_and_governor_is_one_voice(office: Office) -> None:
    put = office.propose(PLAIN)
    office.settle(put.run)
    office.vote(put.run, "omar")
    office.settle(put.run)

    assert office.active() is None
    office.agree(put.run, "gina")
    assert office.active() == put.version


def test_a_lowered_gate_stands_first_on_the_card(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    put = office.propose(LOWERED, by="omar")
    office.settle(put.run)

    assert "LOWERED: 2 of @deciders → 1 of @deciders" in office.card(put.run)[0]


def test_an_effect_in_a_workflow_that_is_started_is_named_on_both_cards(office: Office) -> None:
    inner = PLAIN.replace("tidy-up", "inner").replace("Tidy up", "Inner")
    outer = PLAIN.partition("steps:")[0].replace("inputs: {what: {type: string}}\n", "")
    outer += 'steps:\n  - {id: go, workflow: inner, inputs: {what: "all"}}\n'
    office.agree(office.propose(inner).run, "olga", "gina")
    first = office.propose(outer)
    office.agree(first.run, "olga", "gina")
    more = "  - {id: again, uses: slack.post, with: {channel: '#two', text: x}, undo: none}\n"
    second = office.propose(inner + more)
    office.settle(second.run)

    assert any(
        "inner" in one and "say egress by slack.post" in one for one in office.card(first.run)
    )
    assert "Is started by: tidy-up." in office.card(second.run)
    assert "new egress effect" in office.card(second.run)[0]


def _both_look_first(look: Callable[..., Any]) -> Callable[..., Any]:
    """Let two threads look before either goes on; who comes later does not wait."""
    both = threading.Barrier(2)

    def looked(*given: object) -> object:
        found = look(*given)
        with suppress(threading.BrokenBarrierError):
            both.wait(2)
            both.abort()
        return found

    return looked


def test_two_who_propose_the_same_at_once_are_shown_one_run(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, look in (("canonical_of", canonical_of), ("open_runs", open_runs)):
        monkeypatch.setattr(bot.proposing, name, _both_look_first(look))
    with ThreadPoolExecutor(2) as pool:
        puts = list(pool.map(lambda who: office.propose(PLAIN, by=who), ("rita", "ben")))
    started, published = office.log("run.started"), office.log("workflow.published")

    assert len({one.run for one in puts}) == len(started) == 1
    assert [one.data["version"] for one in published].count(puts[0].version) == 1
    assert sorted(one.is_new for one in puts) == [False, True]
    assert {one.by for one in puts} == {puts[0].by}


def test_what_is_proposed_is_read_without_the_rest_of_its_run(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts = [office.propose(PLAIN), office.propose(LOWERED, by="omar")]

    def whole(*_: object) -> None:
        pytest.fail("a run was read")

    monkeypatch.setattr("storage.history.entries_of", whole)
    found = open_runs(office.core.memory.database, PUBLISH)

    assert {run: given["version"] for run, given in found.items()} == {
        one.run: one.version for one in puts
    }


def test_the_same_is_proposed_again_once_its_run_has_ended(office: Office) -> None:
    first = office.propose(PLAIN)
    office.settle(first.run)
    office.vote(first.run, "olga", Verdict.DENY)
    office.settle(first.run)
    again = office.propose(PLAIN)

    assert again.is_new
    assert again.run != first.run


def test_of_two_that_race_the_second_is_cancelled_and_says_why(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    one = office.propose(LOWERED, by="omar")
    other = office.propose(PLAIN.replace("Tidied", "Cleared"))
    office.settle(other.run)
    office.agree(one.run, "olga", "gina")
    told = office.entries(other.run)

    assert office.active() == one.version
    assert [(one.kind, one.data["reason"]) for one in told[-2:]] == [
        ("approval.withdrawn", "replaced"),
        ("run.cancelled", "replaced"),
    ]
    assert b"has changed meanwhile" in (told[-3].parts["reason"].value or b"")


def test_of_two_policies_the_one_that_people_did_not_agree_to_first_is_cancelled(
    office: Office,
) -> None:
    texts = (GATED.replace("24h", f"{hours}h") for hours in (12, 36))
    files = (Source(text=text, file="policy.yaml") for text in texts)
    proposing = office.proposing("rita")
    one, other = (proposing.policy(file, author=None, reason="Sooner.") for file in files)
    office.settle(other.run)
    office.agree(one.run, "gina", "omar")
    told = office.entries(other.run)

    assert [(each.kind, each.data.get("reason")) for each in told[-2:]] == [
        ("approval.withdrawn", "replaced"),
        ("run.cancelled", "replaced"),
    ]
    assert b"The policy has changed meanwhile" in (told[-3].parts["reason"].value or b"")


def test_one_that_was_approved_before_it_could_be_cancelled_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.catalog_desk.CatalogDesk._cancel_overtaken", lambda *_: None)
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    one = office.propose(LOWERED, by="omar")
    other = office.propose(PLAIN.replace("Tidied", "Cleared"))
    office.settle(other.run)
    office.agree(one.run, "olga", "gina")
    office.vote(other.run, "olga")
    office.vote(other.run, "gina")
    office.settle(other.run)

    assert office.active() == one.version
    void = next(one for one in office.entries(other.run) if one.kind == "approval.withdrawn")
    assert b"has changed meanwhile" in (void.parts["reason"].value or b"")


def test_a_proposal_is_judged_as_it_was_proposed(office: Office) -> None:
    put = office.propose(PLAIN, author="@olga")
    office.settle(put.run)
    asked = next(one for one in office.entries(put.run) if one.kind == "approval.requested")
    request, inputs = RequestId(str(asked.data["request"])), {"version": put.version}
    for who in ("rita", "gina"):
        changed = Edit(request=request, person=id_of(who), inputs={"workflow": "x", **inputs})
        with pytest.raises(NotAllowedError, match="as it was proposed"):
            office.core.engine.edit(changed)


def test_a_version_is_not_published_under_the_name_of_another_workflow(office: Office) -> None:
    other = PLAIN.replace("tidy-up", "wipe-all").replace("@owners", "@rita")
    office.agree(office.propose(other, by="ben").run, "rita", "gina")
    version = office.propose(PLAIN).version
    with office.core.store.begin() as unit:
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(id_of("rita"), "rita"))
    inputs = {"workflow": "wipe-all", "version": version}
    order = Start(workflow=PUBLISH, inputs=inputs, trigger="cli", actor=actor, channel="ops")
    run = office.core.engine.start(order).run
    office.settle(run)
    said = [part.value for one in office.entries(run) for part in one.parts.values()]

    assert any(b"is one of tidy-up" in (one or b"") for one in said)
    assert (office.active(), len(office.log("approval.requested"))) == (None, 1)


def test_nobody_proposes_without_a_name_or_where_nobody_is_asked(office: Office) -> None:
    with pytest.raises(NotAllowedError, match="Nobody knows which person"):
        office.propose(PLAIN, by="mallory")


def test_the_text_of_a_version_that_was_edited_by_hand_runs_nothing_until_it_is_restored(
    office: Office,
) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    with office.core.memory.database.begin() as tx:
        tx.driver.execute("UPDATE definition_version SET canonical = replace(canonical, '2', '1')")
    office.restart()
    found = [one.what for one in drifts_of(office.core)]
    with pytest.raises(AlteredVersionError, match="somebody changed it"):
        office.core.library.active("tidy-up")
    taken = office.propose(LOWERED.replace("@owners", "@rita"), by="omar")
    office.settle(taken.run)
    asked = next(one for one in office.entries(taken.run) if one.kind == "approval.requested")
    office.propose(PLAIN)
    office.restart()

    assert What.TEXT in found
    assert "@owners" in str(asked.data["stages"])  # As the log says, not the altered text.
    assert "@rita" not in str(asked.data["stages"])
    assert office.core.library.active("tidy-up").title == "Tidy up"


def test_a_version_that_is_active_by_the_table_alone_starts_nothing_until_it_is_put_right(
    office: Office,
) -> None:
    first = office.propose(PLAIN)
    office.agree(first.run, "olga", "gina")
    lax = office.propose(LOWERED, by="omar")  # Nobody agreed to it.
    office.write("files/tidy-up.yaml", PLAIN)
    with office.core.memory.database.begin() as tx:
        tx.driver.execute(
            f"UPDATE active_definition SET version = '{lax.version}' WHERE workflow = 'tidy-up'"
        )
    office.restart()
    found = [one.what for one in drifts_of(office.core)]
    order = RunOrder(workflow="tidy-up", inputs={"what": "all"})
    with pytest.raises(AlteredVersionError, match="Nothing starts from it"):
        carry_out(office.core, order, person=PersonId("os:omar"))
    office.agree(office.propose(PLAIN).run, "olga", "gina")

    assert What.ROW in found
    assert carry_out(office.core, order, person=PersonId("os:omar"))["run"]
    assert drifts_of(office.core) == []


def test_a_bot_does_not_start_under_a_policy_that_is_in_force_by_the_table_alone(
    office: Office,
) -> None:
    source = Source(text=office.write("lax.yaml", POLICY).read_text(), file="lax.yaml")
    lax = office.proposing("rita").policy(source, author=None, reason="No more gates.")
    with office.core.memory.database.begin() as tx:
        tx.driver.execute(f"UPDATE active_policy SET version = '{lax.version}'")

    with pytest.raises(SettingsError, match="Which policy is in force was changed in the database"):
        office.start()


def test_another_code_of_an_action_is_drift_until_people_agreed_to_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write("files/tidy-up.yaml", PLAIN)
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    monkeypatch.setattr(SlackPostAction, "code_version", "other")
    found = [one.what for one in drifts_of(office.core)]
    again = office.propose(PLAIN)
    office.agree(again.run, "olga", "gina")

    assert found == [What.CODE]
    assert drifts_of(office.core) == []


def test_owners_are_told_once_of_drift_and_of_a_file_changed_under_a_running_bot(
    office: Office,
) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    office.write("files/tidy-up.yaml", PLAIN)
    office.restart()
    watch = catalog_watch_of(office.core, office.town)
    file = office.write("files/tidy-up.yaml", LOWERED)
    os.utime(file, ns=(1, 1))
    for _ in range(2):
        office.core.library.active("tidy-up")
    watch.stop()
    told = office.notices()
    watch.look()

    assert sorted(one.channel for one in told) == [id_of("olga"), id_of("omar")]
    assert all("the file says" in str(one.body) for one in told)
    assert office.notices() == []


def test_drift_goes_by_what_a_file_says_now_whatever_it_said_before(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    found = []
    for text in (PLAIN, LOWERED, PLAIN, LOWERED):
        office.write("files/tidy-up.yaml", text)
        office.propose(text, by="omar")
        office.restart()
        found.append([one.what for one in (*drifts_of(office.core), *drifts_of(office.core))])

    assert found == [[], [What.FILE] * 2] * 2


def test_of_a_workflow_without_an_owner_its_deputy_is_told_then_those_who_govern(
    office: Office,
) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    watch = catalog_watch_of(office.core, office.town)
    office.town.groups["@owners"] = set()
    watch.look()
    office.town.groups["@deputies"] = set()
    watch.look()
    digest = office.core.digests.post().shown.exceptions
    told = [one.channel for one in office.notices() if "no owner" in str(one.body)]

    assert told == [id_of("sam"), id_of("gina"), id_of("omar")]
    assert digest == ["Tidy up has no owner: @owners is nobody who counts."]


def test_a_policy_in_force_that_gates_counts_whatever_its_file_says(office: Office) -> None:
    digest = office.core.policy.digest
    file = office.write("policy.yaml", POLICY)
    office.write("files/tidy-up.yaml", PLAIN)
    office.restart()
    found = [one.what for one in drifts_of(office.core)]
    put = office.proposing("rita").policy(
        Source(text=file.read_text(), file=file.name), author=None, reason="No more gates."
    )
    office.settle(put.run)
    shown = office.card(put.run)
    office.agree(put.run, "gina", "omar")

    assert office.active() is None
    assert What.POLICY in found
    assert "nobody would gate publications" in shown[0]
    assert office.log("policy.changed")[-1].data == {
        "name": "policy",
        "before": digest,
        "after": put.version,
        "by_run": put.run,
    }
    office.restart()
    assert office.core.policy.publish is None
    assert office.active() is not None


def test_a_policy_that_a_newer_release_wrote_says_what_to_do(office: Office) -> None:
    text = json.dumps({"of_a_newer_release": True})
    digest = hashlib.sha256(text.encode()).hexdigest()
    with office.core.store.begin() as unit:
        unit.keep_policy(digest, text)
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(id_of("rita"), "rita"))
    asked = {"policy": digest, "replaces": office.core.policy.digest, "reason": "It is time."}
    put = Start(workflow=OWN_POLICY, inputs=asked, trigger="cli", actor=actor, channel="ops")
    run = office.core.engine.start(put).run
    office.settle(run)
    (failed,) = (one for one in office.entries(run) if one.kind == "step.observed")

    assert failed.data["error_class"] == "unknown_version"
    assert b"Bring every process to that release" in (failed.parts["output"].value or b"")


def test_a_policy_that_people_agreed_to_records_what_it_binds(office: Office) -> None:
    text = GATED.replace("roles: {", 'roles: {auditors: ["@auditors"], ')
    source = Source(text=text, file="policy.yaml")
    put = office.proposing("rita").policy(source, author=None, reason="Somebody looks at us.")
    office.agree(put.run, "gina", "omar")

    assert office.log("role.granted")[-1].data == {
        "role": "auditor",
        "to": "@auditors",
        "scope": "*",
    }
    assert check_projections(office.core.memory.database) == []


def test_comparing_with_the_files_checks_none_of_them_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked(*_: object) -> list[object]:
        pytest.fail("a bot that only compares would load the expression language")

    monkeypatch.setattr("workflows.policy_faults.policy_faults", checked)
    office.write("policy.yaml", POLICY)

    assert [one.what for one in drifts_of(office.core)] == [What.POLICY]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "UPDATE policy_version SET canonical = replace(canonical, 'publish', 'x')",
            "changed by hand",
        ),
        ("DELETE FROM policy_version", "not stored any more"),
    ],
)
def test_a_text_of_the_policy_that_was_edited_by_hand_starts_nothing(
    office: Office, change: str, told: str
) -> None:
    office.write("policy.yaml", POLICY)
    with office.core.memory.database.begin() as tx:
        tx.driver.execute(change)
    with pytest.raises(SettingsError, match=told):
        office.start()


def test_the_review_of_access_comes_from_the_policy_and_is_no_drift(office: Office) -> None:
    office.write("files/tidy-up.yaml", PLAIN)
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    office.restart()
    carry_out(office.core, AccessOrder(), person=PersonId("os:omar"))

    assert office.active("access-review") is not None
    assert drifts_of(office.core) == []
    assert list(office.core.library.files) == ["tidy-up"]


def test_two_processes_that_start_with_another_policy_record_its_roles_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path, POLICY)
    before, after = office.core.policy, read_policy(VIEWED, "policy.yaml").required()
    catalog, library = Catalog(()), office.core.library
    # Both looked before either of them wrote.
    monkeypatch.setattr(library, "_is_recorded", lambda _policy: False)
    for policy in (after, after, before, before):
        library.publish(catalog, policy)
    told = [(one.kind, one.data.get("to")) for one in office.log("role.granted", "role.revoked")]

    assert told[1:] == [("role.granted", "@ben"), ("role.revoked", "@ben")]
    assert len(office.log("policy.changed")) == 3
    office.core.memory.database.close()


def test_a_process_that_begins_while_people_agree_to_a_policy_does_not_take_it_back(
    office: Office,
) -> None:
    stale = office.core.policy
    agreed = office.write("policy.yaml", VIEWED + "publish: {}\n").read_text()
    source = Source(text=agreed, file="policy.yaml")
    put = office.proposing("rita").policy(source, author=None, reason="More may look.")
    office.agree(put.run, "gina", "omar")

    with pytest.raises(UnusableDatabaseError, match="Start it again"):
        office.core.library.publish(Catalog(()), stale)
    assert office.log("policy.changed")[-1].data["after"] == put.version


@pytest.mark.parametrize("name", ["interlock-publish", "interlock-policy"])
def test_our_own_workflows_are_started_by_proposals_alone(office: Office, name: str) -> None:
    order = RunOrder(workflow=name, inputs={"workflow": "tidy-up", "version": "a" * 64})
    with pytest.raises(NotAllowedError, match="Propose a change"):
        carry_out(office.core, order, person=PersonId("os:mallory"))


def test_a_workflow_of_a_file_changes_no_catalog(office: Office) -> None:
    step = "  - {id: p, uses: interlock.publish, with: {workflow: a, version: b}, undo: none}\n"
    with pytest.raises(DefinitionError, match="own workflows"):
        office.propose(PLAIN + step)


def test_on_postgres_one_process_starts_at_once_what_another_made_active(
    tmp_path: Path, postgres_url: str
) -> None:
    office = Office(tmp_path, database=postgres_url)
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    worker = office.start(publishes=False)
    put = office.propose(LOWERED, by="omar")
    worker.engine.advance(RunId(str(put.run)))
    for one in ("olga", "gina"):
        office.vote(put.run, one)
    worker.engine.advance(RunId(str(put.run)))
    order = RunOrder(workflow="tidy-up", inputs={"what": "all"})
    run = carry_out(office.core, order, person=PersonId("os:omar"))["run"]

    assert office.entries(str(run))[0].data["version"] == put.version
    for core in (worker, office.core):
        core.memory.database.close()


def test_a_copy_under_a_name_that_is_nearly_another_is_told_on_the_card(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    put = office.propose(PLAIN.replace("tidy-up", "tidy-up-2"))
    office.settle(put.run)
    shown = "\n".join(office.card(put.run))

    assert "is nearly called like tidy-up" in shown
    assert "is nearly a copy of tidy-up" in shown
    assert len(put.warnings) == 2


def test_a_run_whose_workflow_is_retired_while_it_waits_goes_on_by_its_version(
    office: Office,
) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    order = RunOrder(workflow="tidy-up", inputs={"what": "all"})
    run = str(carry_out(office.core, order, person=PersonId("os:omar"))["run"])
    office.settle(run)
    office.agree(office.proposing("rita").retire("tidy-up", reason="x").run, "olga", "gina")
    with pytest.raises(UnknownWorkflowError):
        carry_out(office.core, order, person=PersonId("os:omar"))
    office.restart()
    for who in ("ana", "ben"):
        office.vote(run, who)
    office.settle(run)

    assert office.active() is None
    assert [one.kind for one in office.entries(run)][-1] == "action.intended"


def test_what_nobody_may_propose_is_refused_with_its_reason_in_the_trail(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    alike = PublishOrder(file="f.yaml", text=PLAIN.replace("tidy-up", "t1dy-up"))
    faulty = PublishOrder(file="f.yaml", text=PLAIN.replace("undo: none", "undo: nonne"))
    for _ in range(2):
        with pytest.raises(DefinitionError, match="would be mistaken for tidy-up"):
            carry_out(office.core, alike, person=PersonId("os:rita"))
    with pytest.raises(DefinitionError, match="undo"):
        carry_out(office.core, faulty, person=PersonId("os:rita"))
    order = RetireOrder(workflow="tidy-up", reason="x")
    with pytest.raises(NotAllowedError, match="Nobody knows which person"):
        carry_out(office.core, order, person=PersonId("os:mallory"))
    told = office.log("proposal.refused")
    who = people_of(office.core.memory.database, [one.actor.ref for one in told])

    assert [dict(one.data) for one in told] == [
        {
            "wanted": "publish",
            "workflow": "t1dy-up",
            "version": load_definition(alike.text).version,
            "why": "name_alike",
        },
        {"wanted": "retire", "workflow": "tidy-up", "why": "not_allowed"},
    ]
    assert [who[one.actor.ref][0] for one in told] == [id_of("rita"), "os:mallory"]
    assert b"would be mistaken for tidy-up" in (told[0].parts["reason"].value or b"")


def test_more_warnings_than_a_card_takes_are_counted(office: Office) -> None:
    unused = "".join(f"unused_{number}: {{type: string}}, " for number in range(45))
    put = office.propose(PLAIN.replace("inputs: {", f"inputs: {{{unused}"))
    office.settle(put.run)

    assert len(put.warnings) == 45
    assert any("more: `interlock check` names them all" in one for one in office.card(put.run))


def test_the_card_stands_where_people_know_the_workflow_and_not_where_it_would_move(
    office: Office,
) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    put = office.propose(PLAIN.replace('channel: "#ops"', 'channel: "#nobody-reads-this"', 1))
    office.settle(put.run)

    assert office.core.store.run(RunId(str(put.run))).channel == "ops"
    assert "channel changes: ops → nobody-reads-this" in office.card(put.run)[0]


def test_only_authors_whom_the_policy_names_propose(tmp_path: Path) -> None:
    office = Office(tmp_path, POLICY + 'publish: {authors: ["@ben"]}\n')
    with pytest.raises(NotAllowedError, match="may not propose"):
        office.propose(PLAIN, by="rita")

    assert office.propose(PLAIN, by="ben").run is not None
    office.core.memory.database.close()


def test_who_proposes_has_to_be_a_publisher_of_each_secret_and_the_card_names_it(
    tmp_path: Path,
) -> None:
    more = """
services: {shop: {base_url: "https://shop.example.com", secret_header: {name: A, secret: key}}}
secrets: {key: {publishers: ["@ben"]}}
"""
    office = Office(tmp_path, GATED + more)
    reads = PLAIN.replace("steps:\n", "secrets: [key]\nsteps:\n") + (
        "  - {id: look, uses: http.request, with: {service: shop, path: /orders}}\n"
    )
    with pytest.raises(NotAllowedError, match="uses the secret key"):
        office.propose(reads, by="rita")
    put = office.propose(reads, by="ben")
    office.settle(put.run)

    assert any("may use the secret key" in one for one in office.card(put.run))
    office.core.memory.database.close()


def test_a_page_of_the_history_is_read_by_query_whatever_else_was_proposed(
    tmp_path: Path, database_url: str
) -> None:
    office = Office(tmp_path, database=database_url)
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    office.agree(office.propose(LOWERED, by="omar").run, "olga", "gina")
    office.propose(PLAIN)
    office.propose(PLAIN.replace("tidy-up", "sweep-floors"))
    database = office.core.memory.database
    whole = story_of(database, "tidy-up")
    pages = [story_of(database, "tidy-up", most=2, skip=skip) for skip in (0, 2, 4)]
    count = length_of_story(database, "tidy-up")
    database.close()

    assert [one for page in pages for one in page] == whole
    assert count == len(whole) == 5
    assert [(one.what, one.version) for one in whole[::4]] == [
        ("proposed, not decided yet", whole[0].version),
        ("published", whole[0].version),
    ]


def test_a_first_version_is_told_in_short_and_then_field_by_field(office: Office) -> None:
    put = office.propose(PLAIN)
    office.settle(put.run)
    card = office.card(put.run)
    short = card[: card.index(IN_FULL)]

    assert short == [
        "⚠️ step say: new egress effect, by slack.post",
        "Check: no fault, no warning",
        "Owner @owners, deputy @deputies; started by @owners, @deputies",
        "Asks for what",
        "1. say: egress, by slack.post; asks 2 of @deciders; undo: none",
    ]
    assert "step say: with text: Tidied ${{ inputs.what }}" in card


def test_every_proposal_is_named_by_what_it_proposes(office: Office) -> None:
    first = office.propose(PLAIN)
    office.agree(first.run, "olga", "gina")
    second = office.propose(LOWERED, by="omar")
    gone = office.proposing("rita").retire("tidy-up", reason="Nobody tidies.")
    titles = [office.title(one.run) for one in (first, second, gone)]

    was, now = first.version[:8], second.version[:8]
    assert titles == [
        f"Publish tidy-up: version {was}",
        f"Change tidy-up: version {now} in place of {was}",
        "Retire tidy-up",
    ]


def test_files_that_wait_at_the_first_start_are_told_once_where_publish_is_typed(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.write("files/tidy-up.yaml", PLAIN)
    office.restart()
    catalog_watch_of(office.core, office.town).look_for_drift()
    told_first, logged = office.notices(), [one.getMessage() for one in caplog.records]
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    office.notices()
    office.write("files/more.yaml", PLAIN.replace("tidy-up", "sweep").replace("Tidied", "Swept"))
    office.restart()
    for _ in range(2):
        catalog_watch_of(office.core, office.town).look_for_drift()
    told = [str(one.body) for one in office.notices() if "agreed to" in str(one.body)]

    assert told_first == []
    assert logged.count("files wait to be agreed to: `interlock publish`") == 1
    assert len(told) == 1
    assert "Nobody has agreed to *sweep* yet. `interlock publish`" in told[0]
