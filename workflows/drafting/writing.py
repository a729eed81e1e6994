"""A draft as a workflow file, and as a test file that passes."""

from collections.abc import Iterator, Mapping

from workflows.actions.base import Effect
from workflows.drafting.approvers import Approvers
from workflows.drafting.draft import (
    Asked,
    Draft,
    DraftStep,
    Proof,
    Request,
    Statement,
    bound,
    filled,
)
from workflows.drafting.yaml_text import yaml_lines
from workflows.entry import Json

READS = ("GET", "HEAD")
NOT_FOUND = 404
AT_ONCE = "1s"  # A database shows what it has committed.
REQUESTER = "rita"


def definition_text(draft: Draft) -> str:
    """Return the workflow file of a draft."""
    head: dict[str, Json] = {
        "workflow": draft.workflow,
        "title": draft.title,
        "owner": draft.owner,
        "deputy": draft.deputy,
        **(
            {"inputs": {name: dict(one) for name, one in draft.inputs.items()}}
            if draft.inputs
            else {}
        ),
        **({"run_by": list(draft.run_by)} if draft.run_by else {}),
        **({"channel": draft.channel} if draft.channel else {}),
        "steps": [_step(draft, one) for one in draft.steps],
    }
    return "\n".join((*yaml_lines(head), ""))


def _step(draft: Draft, step: DraftStep) -> dict[str, Json]:
    made: dict[str, Json] = {"id": step.id}
    if step.title:
        made["title"] = step.title
    made |= _work(step.asked, step.effect)
    if step.effect is Effect.READ:
        return made
    made["effect"] = step.effect.value
    if step.effect is Effect.DESTRUCTIVE:
        asked: list[Json] = [draft.deputy]
        made["approval"] = {"stages": [{"from": asked, "approve": 1}], "expires": "24h"}
    if step.proof is not None:
        made["verify"] = _proof(step, step.proof)
    made["undo"] = (
        "none" if step.undo is None else {**_work(step.undo, Effect.WRITE), "effect": "write"}
    )
    return made


def _work(asked: Asked, effect: Effect) -> dict[str, Json]:
    if isinstance(asked, Request):
        return _request(asked, ())
    statement, parameters = bound(asked.sql)
    given: dict[str, Json] = {"database": asked.database, "statement": statement}
    if parameters:
        given["parameters"] = parameters
    return {"uses": "sql.query" if effect is Effect.READ else "sql.execute", "with": given}


def _request(request: Request, accept: tuple[int, ...]) -> dict[str, Json]:
    given: dict[str, Json] = {"service": request.service}
    if request.method != "GET":
        given["method"] = request.method
    given["path"] = filled(request.path)
    if accept:
        given["accept"] = list(accept)
    return {"uses": "http.request", "with": given}


def _proof(step: DraftStep, proof: Proof) -> dict[str, Json]:
    if isinstance(step.asked, Statement):
        query = Statement(database=step.asked.database, sql=proof.asks)
        return {
            **_work(query, Effect.READ),
            "returns": {"rows": [{proof.field: _word(proof.value)}]},
            "expect": f"result.rows[0].{proof.field} == {_literal(proof.value)}",
            "within": AT_ONCE,
        }
    read = Request(service=step.asked.service, method="GET", path=proof.asks)
    accept = (NOT_FOUND,) if (proof.field, proof.value) == ("status", NOT_FOUND) else ()
    made = _request(read, accept)
    if proof.field != "status":
        made["returns"] = _nested(proof.field, _word(proof.value))
    made["expect"] = f"result.{proof.field} == {_literal(proof.value)}"
    made["within"] = "1m"
    return made


def _nested(field: str, value: Json) -> Json:
    for part in reversed(field.split(".")):
        value = {part: value}
    return value


def _word(value: Json) -> str:
    kinds: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number"}
    return kinds.get(type(value), "string")


def _literal(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def tests_text(draft: Draft, inputs: Mapping[str, Json], approvers: Approvers) -> str:
    """Return the test file of a draft, with these values for its inputs."""
    asker = draft.run_by[0] if draft.run_by else draft.owner
    people: dict[str, Json] = {name: [*who] for name, who in approvers.groups.items()}
    people[asker] = [REQUESTER, *approvers.groups.get(asker, ())]
    head: dict[str, Json] = {
        "workflow": draft.workflow,
        "people": people,
        "answers": dict(_answers(draft)),
        "tests": [_case(draft, inputs, approvers), *_denied(draft, inputs, approvers)],
    }
    return "\n".join((*yaml_lines({name: one for name, one in head.items() if one}), ""))


def _answers(draft: Draft) -> Iterator[tuple[str, Json]]:
    for step in draft.steps:
        if step.effect is Effect.READ:
            yield step.id, {"output": {"rows": []} if _is_sql(step) else {"body": {}}}
        elif step.proof is not None:
            yield f"{step.id}/verify", {"output": _shown(step, step.proof)}


def _shown(step: DraftStep, proof: Proof) -> Json:
    """Return an answer that proves the effect."""
    if _is_sql(step):
        return {"rows": [{proof.field: proof.value}]}
    return _nested(proof.field, proof.value)


def _is_sql(step: DraftStep) -> bool:
    return isinstance(step.asked, Statement)


def _case(draft: Draft, inputs: Mapping[str, Json], approvers: Approvers) -> Json:
    gated = [one.id for one in draft.steps if one.id in approvers.by_step]
    decisions: list[Json] = [
        _decision(name, who, "approve", approvers)
        for name in gated
        for who in approvers.by_step[name]
    ]
    effects: list[Json] = [one.id for one in draft.steps if one.effect is not Effect.READ]
    gates: list[Json] = [{"step": one, "outcome": "approved"} for one in gated]
    steps: list[Json] = [one.id for one in draft.steps]
    return {
        "name": "it does what it should",
        "by": REQUESTER,
        **({"inputs": dict(inputs)} if inputs else {}),
        **({"decisions": decisions} if decisions else {}),
        "expect": {"outcome": "done", "steps": steps, "effects": effects, "gates": gates},
    }


def _decision(step: str, who: str, verdict: str, approvers: Approvers) -> Json:
    reason = {"reason": "Tried."} if step in approvers.reasons else {}
    return {"step": step, "by": who, "verdict": verdict, **reason}


def _denied(draft: Draft, inputs: Mapping[str, Json], approvers: Approvers) -> Iterator[Json]:
    """Yield the test that a refusal does nothing more, where somebody is asked."""
    first = next((one for one in draft.steps if one.id in approvers.by_step), None)
    if first is None:
        return
    before = draft.steps[: draft.steps.index(first)]
    effects: list[Json] = [one.id for one in before if one.effect is not Effect.READ]
    who = approvers.by_step[first.id][0]
    yield {
        "name": "a refusal does nothing more",
        "by": REQUESTER,
        **({"inputs": dict(inputs)} if inputs else {}),
        "decisions": [_decision(first.id, who, "deny", approvers)],
        "expect": {"outcome": "denied", "effects": effects},
    }
