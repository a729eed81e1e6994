"""What shows when a field of a target is ignored: a service, a database, a program, a webhook."""

import base64
import hashlib
import hmac
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.hooks import Hooks
from storage.rows import DatabaseRows
from tests.workflows.actions.http_parts import answer, get, post
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import NOON, Town, id_of
from workflows.actions.base import Effect, Happened
from workflows.actions.http import HttpRequest
from workflows.actions.shell import ShellCall, ShellDone, ShellRun
from workflows.actions.sql import SqlCall, SqlExecute, SqlQuery, SqlQueryCall
from workflows.errors import ActionFailedError
from workflows.loading import load_definition
from workflows.orders import Start, Started
from workflows.policy import Policy

BASE = 'defaults: {expires: 24h}\nrules: [{name: r, when: "true", stages: [{from: ["@a"]}]}]\n'
OK = answer(200, b'"here"')
SHOP = "https://shop.example"

# Services


def service(bench: Bench, url: str = SHOP, **fields: Any) -> HttpRequest:  # noqa: ANN401 - any field.
    told = ", ".join(f"{name}: {value}" for name, value in fields.items())
    text = f"{BASE}services: {{shop: {{base_url: '{url}'{told and ', ' + told}}}}}\n"
    return HttpRequest(bench.policy(text).targets)


def a_service_is_known_by_its_address(bench: Bench) -> None:
    plan = service(bench).plan(get(), bench.call())

    assert plan.lines[0] == f"GET {SHOP}/orders/ord_1"


def a_read_may_be_sent_on_to_other_hosts(bench: Bench) -> None:
    other = bench.server(OK)
    first = bench.server(answer(302, b"", Location=f"http://localhost:{other.port}/"))
    action = service(bench, first.url, private="true", hosts="[localhost]")

    assert action.perform(get(), bench.call()).body == "here"


def private_addresses_have_to_be_allowed(bench: Bench) -> None:
    action = service(bench, bench.server(OK).url, private="true")

    assert action.perform(get(), bench.call()).body == "here"


def only_listed_paths_are_asked_for(bench: Bench) -> None:
    action = service(bench, paths='["/refunds"]')

    with pytest.raises(ActionFailedError, match="none of the paths"):
        action.plan(get(), bench.call())


def a_secret_stands_in_its_header(bench: Bench) -> None:
    server = bench.server(OK)
    header = '{name: X-Token, prefix: "Key ", secret: token}'
    action = service(bench, server.url, private="true", secret_header=header)
    action.perform(get(), bench.call(token="opensesame", other="wrong"))

    assert b"\r\nX-Token: Key opensesame\r\n" in server.requests[0]


def the_key_stands_in_its_header(bench: Bench) -> None:
    server = bench.server(OK)
    action = service(bench, server.url, private="true", idempotency_header="X-Once")
    action.perform(post(), bench.call())

    assert b"\r\nX-Once: run-1/refund\r\n" in server.requests[0]


def a_service_is_asked_whether_it_happened(bench: Bench) -> None:
    server = bench.server(OK)
    action = service(bench, server.url, private="true", probe="'/refunds/{key}'")

    assert action.probe(post(), bench.call()) is Happened.YES


def a_service_may_act_once_under_a_key(bench: Bench) -> None:
    assert service(bench, honours_idempotency_key="true").is_once(post())


def an_answer_may_be_so_long(bench: Bench) -> None:
    action = service(bench, bench.server(OK).url, private="true", max_bytes="3")

    with pytest.raises(ActionFailedError):
        action.perform(get(), bench.call())


# Databases


def database(bench: Bench, target: str) -> Policy:
    with closing(sqlite3.connect(bench.home / "crm.db")) as connection, connection:
        connection.execute("CREATE TABLE account (id TEXT)")
        connection.execute("INSERT INTO account VALUES ('acc_1')")
    return bench.policy(f"{BASE}databases: {{crm: {target}}}\n")


def url_of(bench: Bench) -> str:
    return f"sqlite:///{bench.home / 'crm.db'}"


def a_database_is_known_by_its_address(bench: Bench) -> None:
    _reads_accounts(bench, f"{{url: '{url_of(bench)}'}}")


def a_secret_may_hold_the_address(bench: Bench) -> None:
    _reads_accounts(bench, "{secret: crm_address}")


def _reads_accounts(bench: Bench, target: str) -> None:
    targets = database(bench, target).targets
    asked = SqlQueryCall(database="crm", statement="SELECT id FROM account", parameters={})
    found = SqlQuery(targets, DatabaseRows(lambda: NOON)).perform(
        asked, bench.call(crm_address=url_of(bench))
    )

    assert found.rows == [{"id": "acc_1"}]


def a_database_may_keep_no_record_of_effects(bench: Bench) -> None:
    policy = database(bench, f"{{url: '{url_of(bench)}', records_effects: false}}")
    asked = SqlCall(database="crm", statement="DELETE FROM account", parameters={})
    SqlExecute(policy.targets, DatabaseRows(lambda: NOON)).perform(asked, bench.call())
    with closing(sqlite3.connect(bench.home / "crm.db")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]

    assert names == ["account"]


# Programs


def program(bench: Bench, **fields: str) -> ShellRun:
    usual = {"path": sys.executable, "folders": f"{{here: '{bench.home}'}}"}
    told = ", ".join(f"{name}: {value}" for name, value in {**usual, **fields}.items())
    return ShellRun(bench.policy(f"{BASE}programs: {{python: {{{told}}}}}\n").targets)


def says(bench: Bench, code: str, **fields: str) -> str:
    asked = ShellCall(program="python", args=("-c", code), folder="here")
    done = program(bench, **fields).perform(asked, bench.call(word="opensesame"))
    assert isinstance(done, ShellDone)
    return done.stdout.strip()


def a_program_is_known_by_its_path(bench: Bench) -> None:
    assert says(bench, "print('it runs')") == "it runs"


def a_program_starts_in_its_folder(bench: Bench) -> None:
    assert Path(says(bench, "import os; print(os.getcwd())")) == bench.home.resolve()


def only_listed_arguments_are_taken(bench: Bench) -> None:
    with pytest.raises(ActionFailedError):
        says(bench, "print('it runs')", arguments='["--version"]')


def listed_arguments_only_look(bench: Bench) -> None:
    action = program(bench, reads='["--version"]')
    asked = ShellCall(program="python", args=("--version",), folder="here")

    assert action.effect_of(asked.model_dump(mode="json")) is Effect.READ


def a_program_is_given_variables(bench: Bench) -> None:
    code = "import os; print(os.environ.get('MOOD'))"

    assert says(bench, code, environment="{MOOD: calm}") == "calm"


def a_program_is_given_secrets(bench: Bench) -> None:
    code = "import os; print(os.environ.get('WORD') == 'opensesame')"

    assert says(bench, code, secrets="{WORD: word}") == "True"


# Webhooks

SECRETS = {"shop": "whsec_" + base64.b64encode(b"s" * 32).decode(), "other": "whsec_" + "YWJj" * 12}
HOOKED = load_definition(
    """
    workflow: hooked
    title: Hooked
    owner: "@owners"
    deputy: "@deputies"
    triggers: [{webhook: shop}]
    steps: [{id: s, uses: world.read, with: {name: number}}]
    """
)


def a_delivery_starts_a_run_of_its_requester(bench: Bench) -> None:
    assert [one.person for one in _delivered(bench, "")] == [id_of("rita")]


def a_delivery_is_signed_as_github_does(bench: Bench) -> None:
    key = SECRETS["shop"].encode()
    signed = "sha256=" + hmac.new(key, b"{}", hashlib.sha256).hexdigest()
    starts = _delivered(bench, ", scheme: github", {"x-hub-signature-256": signed})

    assert len(starts) == 1


def a_delivery_may_be_so_old(bench: Bench) -> None:
    assert len(_delivered(bench, ", tolerance: 10m", _standard(timedelta(minutes=8)))) == 1


def _standard(age: timedelta = timedelta()) -> dict[str, str]:
    moment = str(int((NOON - age).timestamp()))
    signed = hmac.digest(b"s" * 32, f"msg_1.{moment}.{{}}".encode(), "sha256")
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _delivered(bench: Bench, more: str, headers: dict[str, str] | None = None) -> list[Start]:
    """Return the runs that a delivery starts."""
    starts: list[Start] = []

    def start(order: Start) -> Started:
        starts.append(order)
        return Started(run=order.workflow, is_new=True)

    text = f'{BASE}webhooks: {{shop: {{secret: shop, requester: "@rita"{more}}}}}\n'
    secret = SECRETS.__getitem__
    core: Any = SimpleNamespace(
        policy=bench.policy(text),
        secrets=SimpleNamespace(names=lambda: frozenset(SECRETS), reveal=secret, look_at=secret),
        library=SimpleNamespace(definitions=lambda: (HOOKED,), is_deaf=lambda _name: False),
        people=Town(),
        engine=SimpleNamespace(start=start),
        settings=SimpleNamespace(channel="ops"),
        means=SimpleNamespace(clock=lambda: NOON),
    )
    Hooks(core).deliver("shop", headers or _standard(), b"{}")
    return starts


ROWS = [
    Row(field="Policy.services", scenario=a_service_is_known_by_its_address),
    Row(field="Policy.databases", scenario=a_database_is_known_by_its_address),
    Row(field="Policy.programs", scenario=a_program_is_known_by_its_path),
    Row(field="Policy.webhooks", scenario=a_delivery_starts_a_run_of_its_requester),
    Row(
        field="Service.base_url",
        scenario=a_service_is_known_by_its_address,
        instead=lambda _: "https://elsewhere.example",
    ),
    Row(field="Service.hosts", scenario=a_read_may_be_sent_on_to_other_hosts),
    Row(field="Service.private", scenario=private_addresses_have_to_be_allowed),
    Row(field="Service.paths", scenario=only_listed_paths_are_asked_for),
    Row(field="Service.secret_header", scenario=a_secret_stands_in_its_header),
    Row(field="SecretHeader.name", scenario=a_secret_stands_in_its_header),
    Row(field="SecretHeader.prefix", scenario=a_secret_stands_in_its_header),
    Row(
        field="SecretHeader.secret",
        scenario=a_secret_stands_in_its_header,
        instead=lambda _: "other",
    ),
    Row(field="Service.idempotency_header", scenario=the_key_stands_in_its_header),
    Row(field="Service.honours_idempotency_key", scenario=a_service_may_act_once_under_a_key),
    Row(field="Service.probe", scenario=a_service_is_asked_whether_it_happened),
    Row(field="Service.max_bytes", scenario=an_answer_may_be_so_long),
    Row(
        field="DatabaseTarget.url",
        scenario=a_database_is_known_by_its_address,
        instead=lambda _: "sqlite://",
    ),
    Row(
        field="DatabaseTarget.secret",
        scenario=a_secret_may_hold_the_address,
        instead=lambda _: "other",
    ),
    Row(field="DatabaseTarget.records_effects", scenario=a_database_may_keep_no_record_of_effects),
    Row(
        field="Program.path",
        scenario=a_program_is_known_by_its_path,
        instead=lambda _: "/nowhere/python",
    ),
    Row(
        field="Program.folders",
        scenario=a_program_starts_in_its_folder,
        instead=lambda _: {"here": "/"},
    ),
    Row(field="Program.arguments", scenario=only_listed_arguments_are_taken),
    Row(field="Program.reads", scenario=listed_arguments_only_look),
    Row(field="Program.environment", scenario=a_program_is_given_variables),
    Row(field="Program.secrets", scenario=a_program_is_given_secrets),
    Row(
        field="Webhook.secret",
        scenario=a_delivery_starts_a_run_of_its_requester,
        instead=lambda _: "other",
    ),
    Row(
        field="Webhook.requester",
        scenario=a_delivery_starts_a_run_of_its_requester,
        instead=lambda _: "@omar",
    ),
    Row(field="Webhook.scheme", scenario=a_delivery_is_signed_as_github_does),
    Row(field="Webhook.tolerance", scenario=a_delivery_may_be_so_old),
]
