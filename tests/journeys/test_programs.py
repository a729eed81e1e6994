"""Programs start runs over HTTP for the person their token stands for, and for nobody else."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from bot.api import BURST, Api
from bot.holder import RefusedThereError
from bot.http import THREADS
from bot.problems import DoorError
from bot.tokens import make_token
from storage.run_models import RunRecord
from storage.tokens import token_named
from tests.journeys.day import Case
from tests.journeys.programs import (
    GITHUB_SECRET,
    PATIENT,
    Outside,
    assert_sound,
    bearer,
    outside_world,
    signed,
    start_of,
)
from tests.sandbox.payload_checks import complaints_about
from workflows.entry import RunId


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside_world(tmp_path_factory.mktemp("outside")) as world:
        yield world
        assert complaints_about(world.day.stage.slack.recorder) == []
        assert_sound(world)


@pytest.fixture
def case(outside: Outside) -> Case:
    return Case(outside.day)


@pytest.fixture
def token(outside: Outside) -> str:
    return outside.token("@rita")


def is_problem(answer: httpx.Response, status: int, kind: str) -> bool:
    told = answer.json()
    return (
        answer.status_code == status
        and answer.headers["content-type"] == "application/problem+json"
        and (told["status"], told["kind"], told["type"]) == (status, kind, "about:blank")
    )


def test_a_program_starts_a_run_that_people_approve(
    outside: Outside, case: Case, token: str
) -> None:
    started = outside.starts(case, token)
    told = started.json()
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    first = case.entries()[0]
    seen = outside.get(told["links"]["self"], token).json()

    assert started.status_code == 201
    assert started.headers["location"] == told["links"]["self"] == f"/runs/{told['run']}"
    assert first.data["trigger"] == "agent"
    assert str(first.data["source"]).startswith("program-")
    assert "through a program" in case.now(root).words
    assert (seen["status"], seen["is_over"], seen["run"]) == ("done", True, told["run"])
    assert case.refunds() == [500]


@pytest.mark.trap(8)
def test_the_owner_of_a_token_can_never_approve_what_it_started(
    outside: Outside, case: Case
) -> None:
    workspace = outside.day.stage.slack.workspace
    workspace.join_group("ana", "support")  # So that she may run it as well as approve it.
    case.is_heard()
    try:
        assert outside.starts(case, outside.token("@ana")).status_code == 201
        root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
        card = case.card(root)
        refused = case.refused("ana", card)
        asked = next(one for one in case.entries() if one.kind == "approval.requested")
        requester = case.entries()[0].actor
        case.approves("ben", case.card(root))
        case.ends(root, "done")
    finally:
        workspace.leave_group("ana", "support")

    assert "someone else" in refused
    assert asked.data["excluded"] == [requester.ref]
    assert [one.actor for one in case.entries() if one.kind == "approval.granted"] != [requester]


def test_twenty_equal_starts_at_once_are_one_run(outside: Outside, case: Case, token: str) -> None:
    def send(_: int) -> httpx.Response:
        return outside.starts(case, token, {"idempotency-key": f"once-{case.order}"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    assert len({one.json()["run"] for one in answers}) == 1
    assert case.kinds().count("run.started") == 1
    assert len(case.waits(case.roots, "the run's first message")) == 1


def test_a_key_may_stand_in_the_body_or_quoted_in_the_header(
    outside: Outside, case: Case, token: str
) -> None:
    key = f"same-{case.order}"
    first = outside.starts(case, token, key=key)
    again = outside.starts(case, token, {"idempotency-key": f'"{key}"'})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "is_new": False}


def test_a_key_that_started_something_else_is_refused_with_that_run(
    outside: Outside, case: Case, token: str
) -> None:
    key = f"other-{case.order}"
    first = outside.starts(case, token, key=key)
    inputs = {"order": case.order, "amount": 501, "reason": "Broken"}
    again = outside.starts(case, token, key=key, inputs=inputs)

    assert is_problem(again, 409, "key-reused")
    assert again.json()["run"] == first.json()["run"]
    assert first.json()["run"] in again.json()["detail"]


def test_two_owners_may_use_the_same_key(outside: Outside, token: str) -> None:
    cases = (Case(outside.day), Case(outside.day))
    tokens = (token, outside.token("@sam"))
    told = [
        outside.starts(case, one, key="shared") for case, one in zip(cases, tokens, strict=True)
    ]

    assert [one.status_code for one in told] == [201, 201]


def test_two_different_keys_in_one_request_are_refused(
    outside: Outside, case: Case, token: str
) -> None:
    answer = outside.starts(case, token, {"idempotency-key": "one"}, key="two")

    assert is_problem(answer, 422, "fields")
    assert answer.json()["errors"][0]["pointer"] == "#/key"


def test_a_second_header_with_another_key_is_refused(
    outside: Outside, case: Case, token: str
) -> None:
    headers = [*bearer(token).items(), ("idempotency-key", "one"), ("idempotency-key", "two")]
    answer = httpx.post(
        f"{outside.url}/runs", json=start_of(case), headers=headers, timeout=PATIENT
    )
    same = [*headers[:-1], ("idempotency-key", "one")]
    taken = httpx.post(f"{outside.url}/runs", json=start_of(case), headers=same, timeout=PATIENT)

    assert is_problem(answer, 400, "bad-request")
    assert taken.status_code == 201


def test_a_second_header_with_another_token_is_refused(outside: Outside, token: str) -> None:
    headers = [*bearer(token).items(), ("authorization", "Bearer ilk_other")]
    answer = httpx.get(f"{outside.url}/runs/r1", headers=headers, timeout=PATIENT)

    assert is_problem(answer, 400, "bad-request")


def test_a_key_in_which_a_secret_stands_starts_and_keeps_nothing(
    outside: Outside, case: Case, token: str
) -> None:
    answer = outside.starts(case, token, {"idempotency-key": f"for-{GITHUB_SECRET}"})
    placed = outside.starts(case, token, channel=GITHUB_SECRET)
    body = json.dumps({"tasks": ["a"], "login": "ana", "at": "2027-01-01T09:00:00Z"}).encode()
    delivered = outside.delivers("people", body, signed(body, ident=f"for-{GITHUB_SECRET}"))
    with outside.day.bot.core.store.database.read() as connection:
        keys = connection.execute(select(RunRecord.start_key)).scalars().all()

    assert is_problem(answer, 422, "secret")
    assert is_problem(placed, 422, "secret")
    assert is_problem(delivered, 422, "secret")
    assert not any(GITHUB_SECRET in (one or "") for one in keys)


@pytest.mark.parametrize(
    ("given", "below"),
    [
        ({"public_url": "https://ops.example.com/interlock"}, "/interlock"),
        ({"public_url": "https://ops.example.com"}, ""),
        # A public address of another door says nothing of this one.
        ({"public_url": "https://ops.example.com/interlock", "http": "127.0.0.1:1"}, ""),
        ({"public_url": "https://a.example/x", "workspace": "T0ACME"}, "/x/workspaces/T0ACME"),
    ],
)
def test_links_lead_through_the_path_that_a_proxy_takes_off(
    outside: Outside, case: Case, token: str, given: dict[str, str], below: str
) -> None:
    core = outside.day.bot.core
    run = outside.starts(case, token).json()["run"]
    api = Api(replace(core, settings=core.settings.model_copy(update=given)))
    shown = api.shown(core.store.run(RunId(run)))

    own = f"{below}/runs/{run}"
    assert shown["links"] == {"self": own, "cancel": f"{own}/cancel"}


def test_a_credential_known_by_its_form_starts_cancels_and_keeps_nothing(
    outside: Outside, case: Case, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    started = outside.starts(case, token).json()["run"]
    leaked = "gh" + "p_" + "a1B" * 12
    inputs = {"order": case.order, "amount": case.amount, "reason": f"It is {leaked}"}
    run = outside.starts(case, token, inputs=inputs)
    why = outside.post(f"/runs/{started}/cancel", token, {"reason": f"for {leaked}"})
    own = outside.post(f"/runs/{started}/cancel", token, {"reason": f"for {token}"})

    assert all(is_problem(one, 422, "secret") for one in (run, why, own))
    assert "GitHub token" in run.text
    assert leaked not in run.text + why.text + own.text + caplog.text


def test_fields_that_do_not_fit_are_named_each(outside: Outside, token: str) -> None:
    wrong = {"order": "8841", "amount": 0, "who": "me"}
    answer = outside.post("/runs", token, {"workflow": "refund-customer", "inputs": wrong})
    told = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}

    assert is_problem(answer, 422, "inputs")
    assert set(told) == {f"#/inputs/{name}" for name in ("order", "amount", "who", "reason")}
    assert 'must begin with "ord_"' in told["#/inputs/order"]


def test_an_unknown_workflow_is_answered_with_the_nearest(outside: Outside, token: str) -> None:
    answer = outside.post("/runs", token, {"workflow": "refund-custmer"})

    assert is_problem(answer, 404, "unknown-workflow")
    assert "refund-customer" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"workflow": "a", "workflow": "b"}', 400),
        (b'{"workflow": NaN}', 400),
        (b'{"inputs": {"a": 1e999}, "workflow": "a"}', 400),
        (b'{"workflow": "\\ud800"}', 400),
        (b'{"workflow": "\xff"}', 400),
        (b'{"workflow": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b'{"workflow": "a", "inputs": ' + b'{"a":' * 40 + b"1" + b"}" * 41, 400),
        (b"{}", 422),
        (b'{"workflow": 5}', 422),
        (b'{"workflow": ""}', 422),
        (b'{"workflow": "refund-customer", "inputs": []}', 422),
        (b'{"workflow": "refund-customer", "inputs": {"amount": [1]}}', 422),
        (b'{"workflow": "refund-customer", "more": 1}', 422),
        (b'{"workflow": "refund-customer", "key": "a b"}', 422),
        (b'{"workflow": "refund-customer", "channel": "<!channel>"}', 422),
        (b'{"workflow": "' + b"x" * (256 * 1024) + b'"}', 413),
    ],
)
def test_hostile_bodies_are_refused_in_words(
    outside: Outside, token: str, body: bytes, status: int
) -> None:
    headers = {**bearer(token), "content-type": "application/json"}
    answer = httpx.post(f"{outside.url}/runs", content=body, headers=headers, timeout=PATIENT)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert answer.json()["hint"]


def test_a_body_that_hides_its_length_is_cut_off(outside: Outside, token: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(300):
            yield b" " * 1024

    headers = {**bearer(token), "content-type": "application/json"}
    answer = httpx.post(f"{outside.url}/runs", content=endless(), headers=headers, timeout=PATIENT)

    assert is_problem(answer, 413, "request-entity-too-large")


def test_a_key_that_started_something_unseen_tells_nothing_of_it(
    outside: Outside, case: Case, token: str
) -> None:
    key = {"Idempotency-Key": f"key-{case.order}"}
    limited = outside.token("@rita", workflows=("hand-over",))
    started = outside.starts(case, token, key).json()
    asked = {"workflow": "hand-over", "inputs": {"tasks": ["x"], "to": "@sam", "at": "2027-01-01"}}
    refused = outside.post("/runs", limited, {**asked, "channel": case.channel}, key)
    seen = outside.post("/runs", token, {**asked, "channel": case.channel}, key)

    assert is_problem(refused, 409, "key-reused")
    assert "run" not in refused.json()
    assert started["run"] not in refused.text
    assert "refund-customer" not in refused.text
    assert seen.json()["run"] == started["run"]


def test_only_json_is_taken(outside: Outside, token: str) -> None:
    answer = httpx.post(
        f"{outside.url}/runs", data={"workflow": "x"}, headers=bearer(token), timeout=PATIENT
    )

    assert is_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Basic cml0YTpyaXRh", "Bearer ilk_" + "0" * 49, "Bearer é"],
)
def test_without_a_token_that_is_in_force_nothing_opens(
    outside: Outside, case: Case, authorization: str
) -> None:
    headers = {"authorization": authorization.encode()} if authorization else {}
    answer = httpx.post(
        f"{outside.url}/runs", json=start_of(case), headers=headers, timeout=PATIENT
    )

    assert is_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_was_never_given_out_opens_nothing(outside: Outside, case: Case) -> None:
    assert is_problem(outside.starts(case, make_token(b"x" * 32)), 401, "unauthorized")


def test_a_revoked_token_opens_nothing_from_that_moment_on(outside: Outside, case: Case) -> None:
    name, token = outside.named_token()
    started = outside.starts(case, token)
    outside.revoke(name)

    assert is_problem(outside.starts(case, token), 401, "unauthorized")
    assert is_problem(outside.get(f"/runs/{started.json()['run']}", token), 401, "unauthorized")


def test_a_token_expires(outside: Outside, case: Case) -> None:
    token = outside.token(lasts=timedelta(milliseconds=1))
    answer = outside.starts(case, token)

    assert is_problem(answer, 401, "unauthorized")
    assert "expired" in answer.json()["detail"]


def test_a_token_may_be_limited_to_workflows(outside: Outside, case: Case) -> None:
    token = outside.token("@petra", workflows=("roll-back-release",))
    answer = outside.starts(case, token)

    assert is_problem(answer, 403, "not-allowed")
    assert "roll-back-release" in answer.json()["hint"]


def test_a_token_gives_no_more_than_its_owner_may_do(outside: Outside, case: Case) -> None:
    answer = outside.starts(case, outside.token("@petra"))

    assert is_problem(answer, 403, "not-allowed")
    assert case.roots() == []


def test_the_token_of_somebody_who_left_opens_nothing(outside: Outside, case: Case) -> None:
    workspace = outside.day.stage.slack.workspace
    workspace.add_person("lea", real_name="Lea (support)")
    workspace.join_group("lea", "support")
    token = outside.token("U0LEA")
    workspace.deactivate("lea", leaves_groups=False)

    answer = outside.starts(case, token, key=f"lea-{case.order}")
    end = time.monotonic() + PATIENT
    while "deactivated" not in answer.text and time.monotonic() < end:
        # What Slack says of people and groups is kept for ten seconds: until then she may be
        # somebody who is at work, or nobody of the group that she has joined.
        time.sleep(0.5)
        answer = outside.starts(case, token, key=f"lea-{case.order}")

    assert is_problem(answer, 403, "not-allowed")
    assert "deactivated" in answer.json()["detail"]


@pytest.mark.parametrize("owner", ["@gil", "U0DEX", "U0GIL"])
def test_guests_and_those_who_left_own_no_token(outside: Outside, owner: str) -> None:
    with pytest.raises(RefusedThereError, match="nobody who may ask"):
        outside.token(owner)


def test_a_program_sees_the_runs_of_its_owner_and_no_others(
    outside: Outside, case: Case, token: str
) -> None:
    run = outside.starts(case, token).json()["run"]
    others = outside.token("@sam")
    limited = outside.token("@rita", workflows=("nightly-check",))

    assert outside.get(f"/runs/{run}", outside.token("@rita")).status_code == 200
    assert is_problem(outside.get(f"/runs/{run}", others), 404, "unknown-run")
    assert is_problem(outside.get(f"/runs/{run}", limited), 404, "unknown-run")
    for path in ("/runs/nothing", "/runs/%00", "/runs/%F0%9F%A6%8A", f"/runs/{'a' * 5000}"):
        assert is_problem(outside.get(path, token), 404, "unknown-run")
    cancel = outside.post(f"/runs/{run}/cancel", others, {"reason": "no"})
    assert is_problem(cancel, 404, "unknown-run")


def test_a_program_waits_for_the_next_state_without_asking_again(
    outside: Outside, case: Case, token: str
) -> None:
    run = outside.starts(case, token).json()["run"]
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    card = case.card(root)
    before = outside.get(f"/runs/{run}", token).json()
    with ThreadPoolExecutor(1) as pool:
        path = f"/runs/{run}?wait=60&after={before['revision']}"
        waiting = pool.submit(outside.get, path, token, timeout=90)
        case.approves("ana", card)
        after = waiting.result().json()
    case.ends(root, "done")

    assert before["status"] == "waiting"
    assert after["revision"] > before["revision"]


def test_a_wait_ends_when_its_time_is_over(outside: Outside, case: Case, token: str) -> None:
    run = outside.starts(case, token).json()["run"]
    case.card(case.waits(lambda: next(iter(case.roots()), None), "the run's first message"))
    before = outside.get(f"/runs/{run}", token).json()
    started = time.monotonic()
    after = outside.get(f"/runs/{run}?wait=1&after={before['revision']}", token).json()

    assert after == before
    assert time.monotonic() - started >= 1


@contextmanager
def polled(outside: Outside, case: Case, token: str) -> Iterator[Future[httpx.Response]]:
    """Give the answer, still to come, to a program that waits for its run to go on."""
    run = outside.starts(case, token).json()["run"]
    case.card(case.waits(lambda: next(iter(case.roots()), None), "the run's first message"))
    before = outside.get(f"/runs/{run}", token).json()
    with ThreadPoolExecutor(1) as pool:
        path = f"/runs/{run}?wait=60&after={before['revision']}"
        waiting = pool.submit(outside.get, path, token, timeout=90)
        outside.wait_for_polls(1)
        yield waiting


def test_a_token_that_is_revoked_while_it_waits_is_told_nothing(
    outside: Outside, case: Case
) -> None:
    name, token = outside.named_token()
    with polled(outside, case, token) as waiting:
        outside.revoke(name)
        answer = waiting.result()

    assert is_problem(answer, 401, "unauthorized")


def test_a_program_is_told_nothing_more_once_its_owner_has_left(
    outside: Outside, case: Case
) -> None:
    workspace = outside.day.stage.slack.workspace
    workspace.add_person("lou", real_name="Lou (support)")
    workspace.join_group("lou", "support")
    case.is_heard()
    token = outside.token("U0LOU")
    with polled(outside, case, token) as waiting:
        workspace.deactivate("lou", leaves_groups=False)
        answer = waiting.result()

    assert is_problem(answer, 403, "not-allowed")
    assert "deactivated" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["wait=x&after=1", "wait=1&after=1.5", "wait=1&after=1e9"])
def test_a_wait_that_makes_no_sense_is_refused(
    outside: Outside, case: Case, token: str, query: str
) -> None:
    run = outside.starts(case, token).json()["run"]

    assert is_problem(outside.get(f"/runs/{run}?{query}", token), 400, "bad-request")


def test_a_program_cancels_what_it_started(outside: Outside, case: Case, token: str) -> None:
    run = outside.starts(case, token).json()["run"]
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    case.card(root)
    answer = outside.post(f"/runs/{run}/cancel", token, {"reason": "Sent by mistake"})
    case.ends(root, "cancelled")
    again = outside.post(f"/runs/{run}/cancel", token, {"reason": "Sent by mistake"})

    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert is_problem(again, 409, "request-closed")
    assert case.refunds() == []


def test_a_token_that_asks_too_often_is_told_to_wait_and_others_are_not(outside: Outside) -> None:
    tokens = (outside.token(), outside.token())
    api = Api(outside.day.bot.core, ticks=lambda: 0.0)  # However slow this machine is.
    for _ in range(BURST):
        api.admit(f"Bearer {tokens[0]}")
    with pytest.raises(DoorError) as refused:
        api.admit(f"Bearer {tokens[0]}")
    api.admit(f"Bearer {tokens[1]}")

    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) >= 1


def test_unknown_places_are_problems_too(outside: Outside, token: str) -> None:
    nothing, wrong = outside.get("/nothing", token), outside.get("/runs", token)

    assert is_problem(nothing, 404, "not-found")
    assert "POST /runs" in nothing.json()["hint"]
    assert is_problem(wrong, 405, "method-not-allowed")
    assert wrong.json()["hint"] == "This address takes POST."


@pytest.mark.parametrize("path", ["/runs/", "/runs/x/", "/hooks/shop-events/"])
def test_no_program_is_led_to_another_address_with_its_token(
    outside: Outside, token: str, path: str
) -> None:
    answer = outside.post(path, token, {})

    assert is_problem(answer, 404, "not-found")
    assert "location" not in answer.headers


def test_the_run_of_another_owner_is_answered_like_none(
    outside: Outside, case: Case, token: str
) -> None:
    run = outside.starts(case, token).json()["run"]
    others = outside.token("@sam")
    answers = [outside.get(f"/runs/{one}", others) for one in (run, "0" * 32, "no.id")]

    assert [one.content for one in answers] == [answers[0].content] * 3
    assert is_problem(answers[0], 404, "unknown-run")
    assert answers[0].json()["hint"]


def test_a_body_that_is_compressed_is_refused_in_words(
    outside: Outside, case: Case, token: str
) -> None:
    answer = outside.starts(case, token, {"content-encoding": "gzip"})

    assert is_problem(answer, 415, "unsupported-media-type")
    assert answer.json()["hint"] == "Send it as it is, without Content-Encoding."


def test_a_used_token_says_when(outside: Outside, case: Case) -> None:
    name, token = outside.named_token()
    database = outside.day.bot.core.memory.database
    before = token_named(database, name)
    outside.starts(case, token)
    after = token_named(database, name)

    assert before is not None
    assert before.last_used_at is None
    assert after is not None
    assert after.last_used_at is not None
    assert token not in json.dumps(str(after))


def test_more_programs_wait_than_there_are_threads_and_hold_up_nobody(
    outside: Outside, case: Case
) -> None:
    tokens = [outside.token() for _ in range(3)]
    run = outside.starts(case, tokens[0]).json()["run"]
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    card = case.card(root)
    revision = outside.get(f"/runs/{run}", tokens[0]).json()["revision"]
    url = f"{outside.url}/runs/{run}?wait=60&after={revision}"

    async def look(client: httpx.AsyncClient, token: str) -> httpx.Response:
        return await client.get(url, headers=bearer(token))

    async def all_wait() -> tuple[httpx.Response, list[httpx.Response]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=90, limits=limits) as client:
            waiting = [
                asyncio.ensure_future(look(client, one)) for one in tokens for _ in range(18)
            ]
            await asyncio.to_thread(outside.wait_for_polls, len(waiting))
            meanwhile = await client.get(f"{outside.url}/runs/{run}", headers=bearer(tokens[0]))
            await asyncio.to_thread(case.approves, "ana", card)
            return meanwhile, await asyncio.gather(*waiting)

    meanwhile, answers = asyncio.run(all_wait())

    assert meanwhile.json()["revision"] == revision
    assert len(answers) == 54 > THREADS
    assert {one.status_code for one in answers} == {200}
    assert all(one.json()["revision"] > revision for one in answers)
