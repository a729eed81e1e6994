"""Draws definitions whose flow can be foretold: each step says all that its fate rests on.

Steps are dictionaries as a file writes them. What steps give is never looked at but for its being
there, so the model needs no values.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Pick = Callable[[Sequence[Any]], Any]
Written = dict[str, Any]
LISTS = ("[]", "[7]", "[3, 3]", "[1, 2, 3]")
DEEPEST = 3


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What may be named here, and how deep this is."""

    values: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    depth: int = 0
    loops: int = 0


class Drawing:
    """A workflow while it is drawn."""

    def __init__(self, pick: Pick, *, left: int, calls: str = "") -> None:
        self.pick, self.left, self.calls = pick, left, calls
        self.count = 0
        self.is_hasty = False  # Best effort: nothing destructive, verified or tried again.

    def workflow(self, name: str) -> Written:
        made: Written = {
            "workflow": name,
            "title": name,
            "owner": "@owners",
            "deputy": "@deputies",
            "run_by": ["@askers"],
        }
        made |= self.pick([{}, {}, {"lock": "one"}, {"lock": "two"}, {"at_once": 1}])
        self.is_hasty = self.chance(6)
        made |= {"mode": "best_effort"} if self.is_hasty else {}
        steps, _ = self.sequence(Scope(), most=4)
        return {**made, "steps": steps}

    def sequence(self, scope: Scope, *, most: int) -> tuple[list[Written], Scope]:
        steps: list[Written] = []
        for _ in range(self.pick(range(1, most + 1))):
            step, scope = self.step(scope)
            steps.append(step)
            if self.left <= 0:
                break
        return steps, scope

    def step(self, scope: Scope) -> tuple[Written, Scope]:
        self.left -= 1
        forms = ["pay", "pay", "list", "wait", "ask"]
        forms += ["send", "send"] * (not self.is_hasty)
        forms += ["call"] * bool(self.calls)
        forms += ["sides", "each", "each"] * (scope.depth < DEEPEST and self.left > 0)
        form = self.pick(forms)
        self.count += 1
        step, after = getattr(self, form)(f"{form}{self.count}", scope)
        if self.chance(4):
            step["when"] = self.condition(scope)
        return step, after

    def chance(self, one_in: int) -> bool:
        return bool(self.pick(range(one_in)) == one_in - 1)

    def condition(self, scope: Scope) -> str:
        found = ["1 > 2"]
        for one in scope.values:
            loop = one.removesuffix(".done")
            counts = [f"{loop}.failed == 0", f"{loop}.done > 0", f"{loop}.done == {loop}.count"]
            found += [f"{one} >= 0", *(counts if loop != one else [])]
        return str(self.pick(found))

    # --- forms -----------------------------------------------------------------------------------

    def pay(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        step = self.act(name, self.pick(["write", "write", "gated"]))
        if not self.is_hasty and self.chance(3):
            step["verify"] = proof(name)
        return self.undoable(step), having(scope, values=f"steps.{name}.output.value")

    def send(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        step = {**self.act(name, "destructive"), "verify": proof(name), "undo": "none"}
        return self.undoable(step), having(scope, values=f"steps.{name}.output.value")

    def act(self, name: str, effect: str) -> Written:
        step: Written = {"id": name, "uses": "flow.act", "with": {"name": name}}
        step["effect"] = "write" if effect == "gated" else effect
        if effect == "gated":
            step["approval"] = {"stages": [{"from": ["@deciders"]}], "expires": "9h"}
        if not self.is_hasty and self.chance(3):
            attempts = self.pick([1, 2])
            step["retry"] = {"attempts": attempts, "backoff": "fixed", "first": "30s", "max": "30s"}
        return step

    def undoable(self, step: Written) -> Written:
        if self.chance(3):
            return step
        name, effect = step["id"], self.pick(["write", "write", "destructive"])
        effect = "write" if self.is_hasty else effect
        undo = {"uses": "flow.act", "with": {"name": f"{name}/undo"}, "effect": effect}
        if effect == "destructive":
            undo["verify"] = proof(f"{name}/undo")
        return {**step, "undo": undo}

    def list(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        step = {"id": name, "uses": "flow.list", "with": {"name": name}}
        return step, having(scope, lists=f"steps.{name}.output.rows")

    def wait(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        return {"id": name, "wait": self.pick(["41m", "3h"])}, scope

    def ask(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        fields = {"value": {"type": "integer", "minimum": 0, "maximum": 5}}
        ask = {"of": ["@deciders"], "question": "How?", "fields": fields, "expires": "7h"}
        return {"id": name, "ask": ask}, having(scope, values=f"steps.{name}.output.value")

    def call(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        return {"id": name, "workflow": self.calls}, scope

    def sides(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        inside, after = replace(scope, depth=scope.depth + 1), scope
        branches = {}
        for side in ("left", "right"):
            branches[side], seen = self.sequence(inside, most=3)
            more = [one for one in seen.values if one not in after.values]
            after = replace(after, values=(*after.values, *more))
        return {"id": name, "parallel": branches}, after

    def each(self, name: str, scope: Scope) -> tuple[Written, Scope]:
        inside = replace(scope, depth=scope.depth + 1, loops=scope.loops + 1)
        steps, _ = self.sequence(inside, most=2)
        over = self.pick([*LISTS, *scope.lists, *scope.lists])
        step = {"id": name, "foreach": "${{ " + over + " }}", "as": f"item{scope.loops}"}
        step["steps"] = steps
        step["max_parallel"] = self.pick([1, 1, 2, 3])
        step["on_item_failure"] = self.pick(["stop", "continue"])
        return step, having(scope, values=f"steps.{name}.output.done")


def proof(name: str) -> Written:
    """Return a verification that is true unless the script says otherwise."""
    look = {"uses": "flow.look", "with": {"name": name}}
    return {**look, "expect": "result.value > 0", "within": "13m"}


def having(scope: Scope, *, values: str = "", lists: str = "") -> Scope:
    """Return it with something else that can be named."""
    return replace(
        scope,
        values=(*scope.values, *([values] if values else [])),
        lists=(*scope.lists, *([lists] if lists else [])),
    )


def drawn(pick: Pick) -> tuple[str, str]:
    """Draw a workflow and one that it may start, as texts of files."""
    child = Drawing(pick, left=2).workflow("child")
    main = Drawing(pick, left=pick([4, 7, 10]), calls="child").workflow("main")
    return json.dumps(main), json.dumps(child)
