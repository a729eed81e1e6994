"""What shows when a field is ignored that holds a target, or the reach of a step, in bounds."""

import re
from datetime import timedelta

import pytest

from storage.rows import DatabaseRows
from tests.workflows.actions.http_parts import answer, get
from tests.workflows.engine.test_blast_radius import BLAST, asked
from tests.workflows.engine.test_budgets import ASKS_NOBODY
from tests.workflows.policy_fields.harness import Bench, Row
from tests.workflows.policy_fields.targets import BASE, OK, database, says, service, url_of
from tests.world import NOON, POLICY
from workflows.actions.base import Effect
from workflows.actions.sql import SqlCall, SqlExecute
from workflows.errors import ActionError, ActionFailedError, TransientReadError

DAY = timedelta(days=1)
BROKEN = answer(500, b"{}")


def a_service_is_asked_so_often(bench: Bench) -> None:
    told = {"private": "true", "rate": "{calls: 2, per: 1h}"}
    action = service(bench, bench.server(OK).url, **told)
    for _ in range(2):
        action.perform(get(), bench.call())

    with pytest.raises(TransientReadError, match="at most 2 times in 1h"):
        action.perform(get(), bench.call())


def a_service_in_trouble_is_left_alone(bench: Bench) -> None:
    told = {"private": "true", "breaker": "{failures: 2, within: 2m, rest: 1h}"}
    action = service(bench, bench.server(BROKEN).url, **told)
    for _ in range(2):
        with pytest.raises(ActionError, match="500"):
            action.perform(get(), bench.call())
    busy = action.busy(get())

    assert busy is not None
    assert busy.error_class == "circuit_open"
    assert re.search("left alone for 1h, since 2 calls failed within 2m", busy.words)


def only_listed_statements_run(bench: Bench) -> None:
    policy = database(bench, f"{{url: '{url_of(bench)}', statements: [insert]}}")
    asked_for = SqlCall(database="crm", statement="DELETE FROM account")

    with pytest.raises(ActionFailedError, match="may not run"):
        SqlExecute(policy.targets, DatabaseRows(lambda: NOON)).perform(asked_for, bench.call())


def statements_act_as_a_role(bench: Bench) -> None:
    _acts_as(bench, "role: clerk", "clerk")


def queries_act_as_a_role_of_their_own(bench: Bench) -> None:
    _acts_as(bench, "role: clerk, read_role: looker", "looker")


def _acts_as(bench: Bench, told: str, role: str) -> None:
    target = bench.policy(f"{BASE}databases: {{crm: {{secret: s, {told}}}}}\n").databases["crm"]

    assert (target.read_role or target.role) == role


def a_program_may_use_so_much(bench: Bench) -> None:
    """Every limit that the policy names is that of the program."""
    asks = "print(*(r.getrlimit(getattr(r, 'RLIMIT_' + one))[0] for one in ('CPU','AS','FSIZE')))"
    limits = "{cpu: 9s, memory: 500, file_size: 2, processes: 5}"
    found = says(bench, f"import resource as r; {asks}", limits=limits).split()

    assert found == ["9", str(500 << 20), str(2 << 20)]


def a_program_may_start_so_many(bench: Bench) -> None:
    asks = "import resource as r; print(r.getrlimit(r.RLIMIT_NPROC)[0])"
    most = int(says(bench, asks, limits="{processes: 5}"))

    assert 5 < most < 50_000
    assert most != int(says(bench, asks))


def what_reaches_far_is_graver(bench: Bench) -> None:
    house = bench.house(POLICY + BLAST, definition=ASKS_NOBODY)

    assert house.status(asked(house, 77)) == "waiting"


def what_reaches_far_is_as_grave_as_is_said(bench: Bench) -> None:
    text = "blast_radius: [{name: far, when: inputs.by == 77, to: write}]\n"
    policy = bench.policy(POLICY + text)

    assert [one.to for one in policy.blast_radius or ()] == [Effect.WRITE]


def a_reach_is_known_by_its_name(bench: Bench) -> None:
    names = [one.name for one in bench.policy(POLICY + BLAST).blast_radius or ()]

    assert names == ["by the plan", "by what is asked"]


ROWS = [
    Row(field="Service.rate", scenario=a_service_is_asked_so_often),
    Row(field="Rate.calls", scenario=a_service_is_asked_so_often, instead=lambda _: 100),
    Row(field="Rate.per", scenario=a_service_is_asked_so_often, instead=lambda _: DAY),
    Row(field="Service.breaker", scenario=a_service_in_trouble_is_left_alone),
    Row(field="Breaker.failures", scenario=a_service_in_trouble_is_left_alone),
    Row(field="Breaker.within", scenario=a_service_in_trouble_is_left_alone),
    Row(field="Breaker.rest", scenario=a_service_in_trouble_is_left_alone),
    Row(field="DatabaseTarget.statements", scenario=only_listed_statements_run),
    Row(field="DatabaseTarget.role", scenario=statements_act_as_a_role),
    Row(field="DatabaseTarget.read_role", scenario=queries_act_as_a_role_of_their_own),
    Row(field="Program.limits", scenario=a_program_may_use_so_much),
    Row(field="ProgramLimits.cpu", scenario=a_program_may_use_so_much),
    Row(field="ProgramLimits.memory", scenario=a_program_may_use_so_much),
    Row(field="ProgramLimits.file_size", scenario=a_program_may_use_so_much),
    Row(field="ProgramLimits.processes", scenario=a_program_may_start_so_many),
    Row(field="Policy.blast_radius", scenario=what_reaches_far_is_graver),
    Row(
        field="Reach.when",
        scenario=what_reaches_far_is_graver,
        instead=lambda _: "inputs.by == 5",
    ),
    Row(field="Reach.to", scenario=what_reaches_far_is_as_grave_as_is_said),
    Row(field="Reach.name", scenario=a_reach_is_known_by_its_name, instead=lambda _: "one"),
]
