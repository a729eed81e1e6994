"""A loop whose items are put to people together, and what somebody says about them."""

from collections.abc import Iterable, Mapping

from storage.store import SqlStore
from tests.workflows.engine.flows import change, workflow
from tests.workflows.engine.gated import of_kind
from tests.world import Clock, Working, id_of
from workflows.entry import RequestId, RunId
from workflows.gate import ApprovalRequest, Outcome, Verdict
from workflows.orders import Ballot, Decided, Refused


def loop(more: str = "") -> str:
    """Return a workflow that changes the world once for each item of a list."""
    step = change("pay", '"${{ item.by }}"').replace("name: pay", 'name: "${{ item.name }}"')
    return workflow(
        "pay-all",
        f"""
steps:
  - id: look
    uses: world.list
    with: {{name: rows}}
  - id: each
    foreach: ${{{{ steps.look.output.rows }}}}
    {more}
    steps: [{step}]
""",
    )


def policy(rest: str = 'stages: [{from: ["@deciders"]}], batch: true') -> str:
    """Return a policy whose one rule is about the items."""
    return f"""
defaults: {{expires: 24h}}
roles: {{governors: ["@directors"]}}
rules: [{{name: payments, when: effect == "write" && step == "pay", {rest}}}]
"""


def paying(
    store: SqlStore,
    clock: Clock,
    *,
    items: int = 3,
    more: str = "on_item_failure: continue",
    rule: str = 'stages: [{from: ["@deciders"]}], batch: true',
) -> tuple[Working, RunId]:
    """Return a run that has put its items to people."""
    house = Working(store, clock, definitions=(loop(more),), policy=policy(rule))
    house.world.items = [{"name": f"n{one}", "by": one + 1} for one in range(items)]
    run = house.start("pay-all")
    house.settle()
    return house, run


def requests(house: Working, run: RunId) -> list[ApprovalRequest]:
    """Return every request of the run as it now is, in the order they were raised."""
    raised = of_kind(house, run, "approval.requested")
    return [house.store.request(RequestId(str(one.data["request"]))) for one in raised]


def open_ones(house: Working, run: RunId) -> list[ApprovalRequest]:
    """Return those of them that are open."""
    return [one for one in requests(house, run) if one.outcome is Outcome.OPEN]


def say(
    house: Working,
    asked: Iterable[ApprovalRequest],
    verdicts: Mapping[str, Verdict] | Verdict,
    *,
    by: str = "ana",
    code: str = "",
    comment: str = "as agreed",
) -> list[Decided | Refused]:
    """Say one thing about all of them, or about each step what is said of it."""
    ballots = [
        Ballot(
            request=one.id,
            person=id_of(by),
            verdict=verdicts if isinstance(verdicts, Verdict) else verdicts[one.step],
            shown=one.binding[:8],
            comment=comment,
            code=code,
        )
        for one in asked
        if isinstance(verdicts, Verdict) or one.step in verdicts
    ]
    return list(house.engine.decide_together(ballots))
