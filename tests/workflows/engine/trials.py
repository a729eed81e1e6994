"""What tests of the bar for production share: a workflow that writes, published, and its runs."""

from tests.workflows.engine.gated import asked, publish, wait
from tests.world import CHANGE, Working, failing
from workflows.entry import INTERLOCK, Draft, Json, RunId
from workflows.errors import ActionFailedError

WRITES = CHANGE.replace("    effect: destructive\n", "")
BAR = "production: {runs: 2, varied: 2, error_budget: {failures: 0, runs: 10}}"
REFUSED = ActionFailedError("refused", error_class="http_422")


def policy_with(bar: str = BAR) -> str:
    return (
        f"defaults: {{expires: 24h}}\n{bar}\nrules:\n"
        '  - {name: r, when: effect == "destructive", stages: [{from: ["@leads"]}]}\n'
    )


def activated(house: Working) -> Working:
    """Have the version that runs be the active one, on trial."""
    publish(house, by="pia")
    definition = house.shelf.active("change-it")
    data: dict[str, Json] = {
        "workflow": definition.workflow,
        "version": definition.version,
        "replaces": None,
        "level": "trial",
    }
    with house.store.begin() as unit:
        unit.append(Draft(kind="workflow.activated", actor=INTERLOCK, data=data))
    return house


def runs(house: Working, by: int = 5) -> RunId:
    """Have a run go through, with the owner's word where that is wanted; a minute goes by."""
    wait(house, minutes=1)
    run = house.start(inputs={"by": by})
    house.settle()
    if house.status(run) == "waiting":
        house.approve(run, by="omar")
        house.settle()
    return run


def fails(house: Working) -> RunId:
    """Have a run stop at its effect, and be given up."""
    wait(house, minutes=1)
    house.world.trouble = failing("before", REFUSED)
    run = house.start()
    house.settle()
    if house.status(run) == "waiting":
        house.approve(run, by="omar")
        house.settle()
    return run


def is_watched(house: Working) -> bool:
    """Say whether the effect of a fresh run waits for somebody."""
    return house.status(asked(house)) == "waiting"
