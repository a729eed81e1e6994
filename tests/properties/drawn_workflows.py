"""Draws workflows at random: every form that a file may hold, as deep as a few steps allow.

A drawn workflow is one that `check` lets through; what it comes to is for whoever runs it. Steps
are called after what they do (`pay3`, `send4`), so that a failure reads like a file.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from hypothesis import strategies as st

Pick: TypeAlias = Callable[[Sequence[Any]], Any]  # One of several, by whatever chance there is.
Written: TypeAlias = dict[str, Any]

DEEPEST, MOST_STEPS = 3, 9
PEOPLE = ('["@deciders"]', '["@directors"]', '["@deciders", "@directors"]')
LISTS = ("${{ [1, 2] }}", "${{ [7] }}", "${{ [3, 1, 2] }}", "${{ [] }}")
EXPECTED = ("result.value >= 0", "result.value >= 0", "result.value >= 10", "result.value > 90000")
WAITS = ("1m", "40m", "3h")
UNTIL = ("2026-03-02T13:30:00+00:00", "2026-03-02", "2026-03-03")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an expression may name here: whole numbers, lists, ends of other runs."""

    numbers: tuple[str, ...] = ("inputs.by",)
    lists: tuple[str, ...] = LISTS
    ends: tuple[str, ...] = ()
    loops: int = 0
    depth: int = 0

    def having(self, **more: str) -> "Scope":
        """Return it with something else that can be named."""
        added = {name: (*getattr(self, name), one) for name, one in more.items()}
        return replace(self, **added)


@dataclass
class Drawing:
    """A workflow while it is drawn."""

    pick: Pick
    calls: tuple[str, ...] = ()  # Which others it may start.
    is_hasty: bool = False  # Best effort: nothing destructive, verified or tried again.
    left: int = MOST_STEPS
    count: int = 0
    forms: Mapping[str, Callable[[Scope], tuple[Written, Scope]]] = field(init=False)

    def __post_init__(self) -> None:
        self.forms = {
            "pay": self.pay,
            "send": self.send,
            "look": self.look,
            "list": self.list,
            "post": self.post,
            "wait": self.wait,
            "ask": self.ask,
            "sides": self.sides,
            "each": self.each,
            "call": self.call,
        }

    # --- what stands where -------------------------------------------------------------------

    def sequence(self, scope: Scope, *, most: int, fewest: int = 1) -> tuple[list[Written], Scope]:
        """Draw steps that follow each other, and what those that come after may name."""
        steps: list[Written] = []
        for _ in range(self.number_of(fewest, most)):
            step, scope = self.step(scope)
            steps.append(step)
            if self.left <= 0:
                break
        return steps, scope

    def step(self, scope: Scope) -> tuple[Written, Scope]:
        """Draw one step."""
        self.left -= 1
        form = self.one_of(self._possible(scope))
        step, after = self.forms[form](scope)
        if self.chance(4):
            step["when"] = self.condition(scope)
        return step, after

    def _possible(self, scope: Scope) -> list[str]:
        found = ["pay", "pay", "look", "list", "post", "wait", "ask"]
        found += [] if self.is_hasty else ["send", "send", "send"]
        found += ["call"] if self.calls else []
        if scope.depth < DEEPEST and self.left > 0:
            found += ["sides", "sides", "each", "each"]
        return found

    def named(self, form: str) -> str:
        self.count += 1
        return f"{form}{self.count}"

    def number_of(self, fewest: int, most: int) -> int:
        return int(self.pick(range(fewest, most + 1)))

    def chance(self, one_in: int) -> bool:
        return bool(self.number_of(0, one_in - 1) == 0)

    def one_of(self, found: Sequence[str]) -> Any:  # noqa: ANN401 - text or what it stands for.
        return self.pick(found)

    def number(self, scope: Scope) -> int | str:
        """Draw a whole number, or an expression that gives one."""
        if self.chance(2):
            return int(self.number_of(1, 3))
        return "${{ " + str(self.one_of(scope.numbers)) + " }}"

    def condition(self, scope: Scope) -> str:
        if scope.ends and self.chance(3):
            return f'{self.one_of(scope.ends)} == "done"'
        return f"{self.one_of(scope.numbers)} {self.one_of(('>= 1', '> 2', '< 3'))}"

    # --- actions -----------------------------------------------------------------------------

    def pay(self, scope: Scope) -> tuple[Written, Scope]:
        name = self.named("pay")
        step = {**self.change(name, scope), "effect": "write"}
        if not self.is_hasty and self.chance(3):
            step["verify"] = self.proof()
        if self.chance(4):
            step["approval"] = self.approval()
        return self._undoable(step), scope.having(numbers=f"steps.{name}.output.value")

    def send(self, scope: Scope) -> tuple[Written, Scope]:
        name = self.named("send")
        step = {**self.change(name, scope), "effect": "destructive", "verify": self.proof()}
        step["undo"] = "none"
        if self.chance(4):
            step["approval"] = self.approval()
        return self._undoable(step), scope.having(numbers=f"steps.{name}.output.value")

    def look(self, scope: Scope) -> tuple[Written, Scope]:
        name = self.named("look")
        step = {"id": name, "uses": "world.read", "with": {"name": name}, **self.retry()}
        return step, scope.having(numbers=f"steps.{name}.output.value")

    def list(self, scope: Scope) -> tuple[Written, Scope]:
        name = self.named("list")
        step = {"id": name, "uses": "world.list", "with": {"name": name}, **self.retry()}
        return step, scope.having(lists="${{ steps." + name + ".output.rows }}")

    def post(self, scope: Scope) -> tuple[Written, Scope]:
        text = "It is ${{ " + str(self.one_of(scope.numbers)) + " }}."
        return {"id": self.named("post"), "uses": "slack.post", "with": {"text": text}}, scope

    def change(self, name: str, scope: Scope) -> Written:
        arguments = {"name": name, "by": self.number(scope)}
        step = {"id": name, "uses": "world.change", "with": arguments, **self.retry()}
        if self.chance(6):
            step["timeout"] = self.one_of(("1m", "1h"))
        if self.chance(8):
            step["recheck"] = False
        return step

    def _undoable(self, step: Written) -> Written:
        """Say of most changes how they are taken back."""
        if self.chance(3):
            return step
        effect = "write" if self.is_hasty else self.one_of(("write", "write", "destructive"))
        arguments = {"name": "back", "by": 1}
        undo = {"uses": "world.change", "with": arguments, "effect": effect}
        if effect == "destructive" or (not self.is_hasty and self.chance(4)):
            undo["verify"] = self.proof()
        if self.chance(6):
            undo["approval"] = self.approval()
        return {**step, "undo": undo}

    def proof(self) -> Written:
        proof = {"uses": "world.read", "with": {"name": "x"}, "expect": self.one_of(EXPECTED)}
        return {**proof, "within": self.one_of(("1m", "20m"))}

    def approval(self) -> Written:
        stage = {"from": json.loads(self.one_of(PEOPLE))}
        approval: Written = {"stages": [stage], "expires": self.one_of(("2h", "30h"))}
        if self.chance(3):
            approval["remind"] = ["1h"]
        if self.chance(3):
            approval["escalate"] = {"after": "1h", "to": ["@deputies"]}
        return approval

    def retry(self) -> Written:
        if self.is_hasty or not self.chance(3):
            return {}
        attempts = self.number_of(1, 4)
        kind = self.one_of(("exponential", "fixed"))
        return {"retry": {"attempts": attempts, "backoff": kind, "first": "5s", "max": "1m"}}

    # --- steps that use none -----------------------------------------------------------------

    def wait(self, scope: Scope) -> tuple[Written, Scope]:
        length = self.one_of(WAITS)
        wait = length if self.chance(2) else {"until": self.one_of(UNTIL)}
        return {"id": self.named("wait"), "wait": wait}, scope

    def ask(self, scope: Scope) -> tuple[Written, Scope]:
        name = self.named("ask")
        fields = {"by": {"type": "integer", "minimum": 1, "maximum": 5}}
        ask = {"of": json.loads(self.one_of(PEOPLE)), "question": "How much?", "fields": fields}
        ask["expires"] = self.one_of(("2h", "30h"))
        return {"id": name, "ask": ask}, scope.having(numbers=f"steps.{name}.output.by")

    def call(self, scope: Scope) -> tuple[Written, Scope]:
        name = self.named("call")
        step: Written = {"id": name, "workflow": self.one_of(self.calls)}
        if self.chance(2):
            step["inputs"] = {"by": self.number(scope)}
        return step, scope.having(ends=f"steps.{name}.output.outcome")

    def sides(self, scope: Scope) -> tuple[Written, Scope]:
        name, after = self.named("sides"), scope
        inside = replace(scope, depth=scope.depth + 1)
        branches = {}
        for side in ("left", "middle", "right")[: 3 if self.chance(4) else 2]:
            branches[side], seen = self.sequence(inside, most=3)
            after = replace(after, **{one: _both(after, seen, one) for one in _NAMED})
        return {"id": name, "parallel": branches}, after

    def each(self, scope: Scope) -> tuple[Written, Scope]:
        name, item = self.named("each"), f"item{scope.loops + 1}" if scope.loops else "item"
        over = self.one_of(scope.lists)
        number = f"{item}.by" if "rows" in over else item
        inside = replace(scope, depth=scope.depth + 1, loops=scope.loops + 1)
        steps, _ = self.sequence(inside.having(numbers=number), most=2)
        loop = {"id": name, "foreach": over, "as": item, "steps": steps}
        if self.chance(2):
            loop["max_parallel"] = self.number_of(2, 3)
        if self.chance(2):
            loop["on_item_failure"] = "continue"
        return loop, scope.having(numbers=f"steps.{name}.output.done")

    # --- the whole ---------------------------------------------------------------------------

    def workflow(self, name: str) -> Written:
        """Draw what stands around the steps, then the steps."""
        made: Written = {
            "workflow": name,
            "title": name,
            "owner": "@owners",
            "deputy": "@deputies",
            "run_by": ["@askers"],
            "inputs": {"by": {"type": "integer", "minimum": 1, "maximum": 5, "default": 2}},
        }
        if self.chance(4):
            made["lock"] = self.one_of(("one", "one", "number/${{ inputs.by }}"))
        if self.chance(4):
            made["at_once"] = self.number_of(1, 2)
        if self.chance(4):
            made["deadline"] = self.one_of(("30s", "2h", "20h"))
        self.is_hasty = self.chance(10)
        if self.is_hasty:
            made["mode"] = "best_effort"
        steps, _ = self.sequence(Scope(), most=4, fewest=min(2, self.left))
        return {**made, "steps": steps}


_NAMED = ("numbers", "lists", "ends")


def _both(one: Scope, other: Scope, named: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*getattr(one, named), *getattr(other, named))))


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A workflow, other versions of it, and those that it starts; texts of files."""

    versions: tuple[str, ...]  # The first is the one that is active in the beginning.
    children: tuple[str, ...]

    @property
    def main(self) -> str:
        return self.versions[0]

    @property
    def name(self) -> str:
        return str(json.loads(self.main)["workflow"])

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps of every version that change the world."""
        every = [one for text in (*self.versions, *self.children) for one in flat(json.loads(text))]
        found = (one["id"] for one in every if one.get("uses") == "world.change")
        return tuple(dict.fromkeys(found))


def flat(written: Written) -> list[Written]:
    """Return every step of a workflow, however deep it stands, in the order of the file."""
    return [one for _, _, one in _places(written)]


def _places(written: Written) -> list[tuple[list[Written], int, Written]]:
    """Return the sequence, the place in it, and the step, of every step."""
    found: list[tuple[list[Written], int, Written]] = []
    for sequence in (written.get("steps", []), *written.get("parallel", {}).values()):
        for at, step in enumerate(sequence):
            found += [(sequence, at, step), *_places(step)]
    return found


def changed(pick: Pick, written: Written) -> Written:
    """Return another version of a workflow: a word, a step more, a step less, another step."""
    made: Written = json.loads(json.dumps(written))
    sequence, at, step = pick(_places(made))
    match pick(["title", "more", "more at the end", "less", "longer"]):
        case "title":
            step["title"] = "Other words"
        case "more":
            sequence.insert(at, {"id": "pause", "wait": "1m"})
        case "more at the end":
            made["steps"].append({"id": "pause", "wait": "1m"})
        case "less" if len(sequence) > 1:
            del sequence[at]
        case _:
            step["when"] = "inputs.by < 5"
    return made


def drawn(pick: Pick, is_sound: Callable[[str], bool]) -> Drawn:
    """Draw a workflow with all that belongs to it; versions that are not sound are left out."""
    grandchild = Drawing(pick, left=2).workflow("grandchild")
    child = Drawing(pick, ("grandchild",), left=3).workflow("child")
    main = Drawing(pick, ("child",)).workflow("main")
    texts = [json.dumps(changed(pick, main)) for _ in range(2)]
    return Drawn(
        versions=(json.dumps(main), *(one for one in dict.fromkeys(texts) if is_sound(one))),
        children=(json.dumps(child), json.dumps(grandchild)),
    )


@st.composite
def workflows(draw: st.DrawFn, is_sound: Callable[[str], bool]) -> Drawn:
    """Draw as `drawn` does, so that Hypothesis can make what fails smaller."""
    return drawn(lambda found: draw(st.sampled_from(found)), is_sound)
