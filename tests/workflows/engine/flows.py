"""Workflows over the small world, one for each form a step can have, and houses that run them."""

from collections.abc import Callable

from storage.store import SqlStore
from tests.world import POLICY, Clock, Working

HEAD = """
workflow: {name}
title: {name}
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
"""
OPEN = POLICY.replace('effect == "destructive"', 'effect == "destructive" && step != "free"')


def workflow(name: str, rest: str) -> str:
    """Return a definition called `name` that goes on with `rest`."""
    return HEAD.format(name=name) + rest


def change(step: str, by: str = "1", *, more: str = "", effect: str = "write") -> str:
    """Return a step that changes the world, in flow style."""
    return (
        f"{{id: {step}, uses: world.change, with: {{name: {step}, by: {by}}}, "
        f"effect: {effect}{more}}}"
    )


def destructive(step: str, by: str = "1", *, undo: str = "none") -> str:
    """Return a step that cannot be undone unless `undo` says how."""
    proof = "verify: {uses: world.read, with: {name: x}, expect: 'result.value >= 0'}"
    return change(step, by, more=f", {proof}, undo: {undo}", effect="destructive")


Making = Callable[..., Working]


def making(store: SqlStore, clock: Clock) -> Making:
    """Return a maker of houses for the definitions it is given."""

    def make(*definitions: str, policy: str = POLICY) -> Working:
        return Working(store, clock, definitions=definitions, policy=policy)

    return make
