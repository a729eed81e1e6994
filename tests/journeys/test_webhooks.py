"""Signed deliveries start what the definitions name, once each, for the person the policy names."""

import base64
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import SecretStr

from bot.holder import RefusedThereError, hand_over
from bot.secret_orders import SetSecretOrder
from bot.secret_sources.held import HeldSecrets
from storage.listing import ListedRun, Wanted, list_runs
from tests.journeys.day import Case
from tests.journeys.programs import (
    PATIENT,
    Outside,
    assert_sound,
    complaint,
    outside_world,
    signed,
    signed_by_github,
)
from workflows.errors import SecretUnreadableError


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside_world(tmp_path_factory.mktemp("outside")) as world:
        yield world
        assert_sound(world)


@pytest.fixture
def case(outside: Outside) -> Case:
    """Give a case of its own; a webhook's thread stands in the bot's own channel."""
    found = Case(outside.day)
    found.channel = "#ops"
    return found


def shop(outside: Outside, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return outside.delivers("shop-events", body, headers)


def test_a_signed_delivery_starts_a_run_for_the_person_the_policy_names(
    outside: Outside, case: Case
) -> None:
    body = complaint(case)
    answer = shop(outside, body, signed(body, ident="msg_first"))
    first = case.entries()[0]
    inputs = json.loads(first.parts["input"].value or b"")
    with outside.day.bot.core.store.begin() as unit:
        named = unit.name(first.actor.ref)  # type: ignore[arg-type]  # A person's, as the next line shows.

    assert (answer.status_code, answer.json()["runs"][0]["is_new"]) == (201, True)
    assert (first.actor.kind.value, named) == ("user", "rita")
    assert (first.data["trigger"], first.data["source"]) == ("webhook", "shop-events")
    assert inputs == {"order": case.order, "amount": 500, "reason": "Complaint msg_first"}


def test_a_repeated_delivery_is_answered_and_starts_nothing(outside: Outside, case: Case) -> None:
    body = complaint(case)
    first = shop(outside, body, signed(body, ident=f"again-{case.order}"))
    again = shop(outside, body, signed(body, ident=f"again-{case.order}", at=time.time() + 1))

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["runs"] == [{**first.json()["runs"][0], "is_new": False}]


def test_a_repeated_delivery_is_answered_although_it_would_be_refused_now(
    outside: Outside, case: Case
) -> None:
    workspace = outside.day.stage.slack.workspace
    body = complaint(case)
    headers = signed(body)
    first = outside.delivers("shop-events", body, headers)
    workspace.leave_group("rita", "support")
    case.is_heard()
    try:
        again = outside.delivers("shop-events", body, headers)
        other = outside.delivers("shop-events", body, signed(body))
    finally:
        workspace.join_group("rita", "support")
        case.is_heard()

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 403)
    (run,) = first.json()["runs"]
    assert again.json()["runs"] == [{**run, "is_new": False}]


def test_twenty_equal_deliveries_at_once_are_one_run(outside: Outside, case: Case) -> None:
    body = complaint(case)
    headers = signed(body)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: shop(outside, body, headers), range(20)))

    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    assert len({one.json()["runs"][0]["run"] for one in answers}) == 1


def test_a_delivery_that_does_not_count_is_taken_and_starts_nothing(outside: Outside) -> None:
    body = json.dumps({"type": "praise"}).encode()
    answer = shop(outside, body, signed(body))

    assert (answer.status_code, answer.json()) == (200, {"runs": []})


@pytest.mark.parametrize("age", [301.0, -360.0, 86_400.0, 1e9])
def test_a_delivery_of_another_time_is_refused(outside: Outside, case: Case, age: float) -> None:
    body = complaint(case)
    answer = shop(outside, body, signed(body, at=time.time() - age))

    assert (answer.status_code, answer.json()["kind"]) == (401, "signature")
    assert "another time" in answer.json()["detail"]


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2," + base64.b64encode(bytes(32)).decode()},
        {"webhook-id": "another"},
        {"webhook-id": ""},
        {"webhook-id": "a.b"},
        {"webhook-id": "x" * 200},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 30},
    ],
)
def test_a_delivery_that_is_not_signed_as_it_should_be_is_refused(
    outside: Outside, case: Case, changed: dict[str, str]
) -> None:
    body = complaint(case)
    answer = shop(outside, body, {**signed(body), **changed})

    assert (answer.status_code, answer.json()["kind"]) == (401, "signature")


def test_a_delivery_signed_with_another_secret_or_for_another_body_is_refused(
    outside: Outside, case: Case
) -> None:
    body = complaint(case)

    assert shop(outside, body, signed(body, key=bytes(32))).status_code == 401
    assert shop(outside, body + b" ", signed(body)).status_code == 401


def test_one_good_signature_among_others_is_enough(outside: Outside, case: Case) -> None:
    body = complaint(case)
    headers = signed(body)
    other = signed(body, ident=headers["webhook-id"], key=bytes(32))["webhook-signature"]
    both = {**headers, "webhook-signature": f"{other} {headers['webhook-signature']}"}

    assert shop(outside, body, both).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "body"),
        (b"[1]", 400, "body"),
        (b"{", 400, "body"),
        (b"{}", 422, "expression"),
        (b'{"type": 5}', 200, None),
        (b'{"type": "complaint"}', 422, "inputs"),
        (b'{"type": "complaint", "order": 5}', 422, "inputs"),
        (b'{"type": "complaint", "order": {"id": 5, "cents": "x"}}', 422, "inputs"),
        (b'{"type": "complaint", "order": {"id": "ord_1", "cents": 1e30}}', 422, "inputs"),
        (b'{"type": "complaint", "order": {"id": "ord_1", "cents": [1]}}', 422, "inputs"),
        (
            b'{"type": "complaint", "order": {"id": "ord_1", "cents": 9223372036854775808}}',
            422,
            "inputs",
        ),
        (b'{"type": "complaint", "order": {"id": "\\u0000", "cents": 1}}', 422, "inputs"),
        (b'{"type": "' + b"x" * (257 * 1024) + b'"}', 413, "request-entity-too-large"),
    ],
)
def test_a_body_that_gives_no_inputs_is_refused_in_words(
    outside: Outside, body: bytes, status: int, kind: str | None
) -> None:
    answer = shop(outside, body, signed(body))

    assert (answer.status_code, answer.json().get("kind")) == (status, kind)


def test_a_trigger_that_cannot_read_a_delivery_holds_up_no_other_workflow(
    outside: Outside, case: Case
) -> None:
    body = json.dumps({"praise": "Well done"}).encode()  # It has no type, as the refund asks for.
    headers = signed(body)
    first, again = shop(outside, body, headers), shop(outside, body, headers)
    database = outside.day.bot.core.store.database

    def ended() -> list[ListedRun] | None:
        found = list_runs(database, Wanted(workflow="hand-over"))
        return found if all(one.status.is_end for one in found) else None

    found = case.waits(ended, "the end of what it started")

    assert [one.status_code for one in (first, again)] == [422, 422]
    assert first.json()["kind"] == "expression"
    assert len(found) == 1


def test_what_a_refused_delivery_said_is_not_logged(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"type": "complaint", "order": "canary-of-the-body"}).encode()
    headers = signed(body)
    answer = shop(outside, body, headers)
    said = [f"{one.getMessage()} {one.__dict__}" for one in caplog.records]

    assert answer.status_code == 422
    assert any("a delivery was refused" in one for one in said)
    ours = [one for one in said if "httpx" not in one and "httpcore" not in one]
    assert not any("canary" in one or headers["webhook-signature"] in one for one in ours)


def test_a_webhook_that_the_policy_does_not_know_does_not_exist(outside: Outside) -> None:
    answer = outside.delivers("nothing", b"{}", signed(b"{}"))

    assert (answer.status_code, answer.json()["kind"]) == (404, "not-found")


def test_a_webhook_whose_secret_is_not_set_takes_nothing_and_names_it_in_the_log_alone(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    answer = outside.delivers("forgotten", b"{}", signed(b"{}"))
    (told,) = [one for one in caplog.records if "no usable secret" in one.message]

    assert answer.status_code == 503
    assert vars(told)["secret"] == "never_set"
    assert "never_set" not in answer.text


def test_a_value_that_is_no_key_of_a_webhook_is_not_kept_as_its_secret(outside: Outside) -> None:
    order = SetSecretOrder(name="never_set", value=SecretStr("copied without its beginning"))
    with pytest.raises(RefusedThereError, match="A webhook's secret is whsec_"):
        hand_over(outside.home, order)

    assert outside.delivers("forgotten", b"{}", signed(b"{}")).status_code == 503


def test_a_webhook_whose_secret_cannot_be_asked_for_says_to_send_it_again(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_held: HeldSecrets, _name: str) -> str:
        raise SecretUnreadableError("Vault is away.")

    monkeypatch.setattr(HeldSecrets, "reveal", away)
    answer = outside.delivers("shop-events", b"{}", signed(b"{}"))

    assert answer.status_code == 503
    assert answer.json()["hint"] == "Send it again in a while."


@pytest.mark.parametrize("hook", ["crowd", "leaver"])
def test_a_webhook_needs_one_person_who_counts_as_its_requester(
    outside: Outside, case: Case, hook: str
) -> None:
    body = complaint(case)
    database = outside.day.bot.core.memory.database
    before = len(list_runs(database, Wanted()))
    answer = outside.delivers(hook, body, signed(body))

    assert answer.status_code in (403, 503)
    assert len(list_runs(database, Wanted())) == before


@pytest.mark.trap(8)
def test_the_requester_of_a_webhook_can_never_approve_what_it_started(
    outside: Outside, case: Case
) -> None:
    workspace = outside.day.stage.slack.workspace
    workspace.join_group("ana", "support")  # So that she may run it as well as approve it.
    case.is_heard()
    known = {one.ts for one in case.roots()}
    try:
        body = complaint(case)
        assert outside.delivers("own", body, signed(body)).status_code == 201
        root = case.waits(
            lambda: next((one for one in case.roots() if one.ts not in known), None),
            "the run's first message",
        )
        refused = case.refused("ana", case.card(root))
    finally:
        workspace.leave_group("ana", "support")

    assert "someone else" in refused
    assert "by a webhook" in case.now(root).words


def test_github_signs_in_its_own_way(outside: Outside, case: Case) -> None:
    body = json.dumps({"order": case.order}).encode()
    ping = outside.delivers("repository", body, signed_by_github(body, event="ping", ident="1"))
    issue = signed_by_github(body, event="issues", ident="2")
    first = outside.delivers("repository", body, issue)
    again = outside.delivers("repository", body, issue)
    renamed = outside.delivers("repository", body, {**issue, "x-github-delivery": "3"})
    forged = outside.delivers("repository", body + b" ", issue)

    assert ping.json() == {"runs": []}
    assert (first.status_code, again.status_code) == (201, 200)
    assert renamed.json() == again.json()
    assert forged.status_code == 401


def test_each_scheme_takes_only_its_own_signatures(outside: Outside, case: Case) -> None:
    body = complaint(case)
    theirs = signed_by_github(body, event="issues", ident="4")

    assert shop(outside, body, theirs).status_code == 401
    assert outside.delivers("repository", body, signed(body)).status_code == 401


def test_only_json_deliveries_are_taken(outside: Outside, case: Case) -> None:
    body = complaint(case)
    headers = {**signed(body), "content-type": "text/plain"}
    answer = httpx.post(
        f"{outside.url}/hooks/shop-events", content=body, headers=headers, timeout=PATIENT
    )

    assert answer.status_code == 415
