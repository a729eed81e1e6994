"""What is different between two policies, in lines for whoever approves one.

Whatever is taken away, changed or given to somebody stands first and is marked; only what is
asked in addition is not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.comparing import MARK
from workflows.definition import meaning
from workflows.policy import Policy
from workflows.policy_roles import EVERYWHERE, Role
from workflows.portrait import leaves

# What is new in these lets somebody do, or reach, more than before; elsewhere it asks more.
_GRANTS = (
    "operators",
    "services",
    "databases",
    "programs",
    "webhooks",
    "connect",
    "secrets",
    "break glass",
)
_ORDER = "order of the rules"  # All of them count, whatever their order.


def policy_difference(before: Policy, after: Policy) -> list[str]:
    """Return the lines that say what `after` changes, none where it changes nothing."""
    old, new = _facets(before), _facets(after)
    told = [_line(name, old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))]
    lines = [one for one in told if one]
    # Whoever is bound first has everybody asked for that role; whoever follows is given it.
    grants = (*_GRANTS, *(f"roles {one}s" for one in Role if before.bound(one)))
    marked = [*_marked(before, after), *(MARK + one for one in lines if _is_marked(one, grants))]
    return [*marked, *(one for one in lines if not _is_marked(one, grants))]


def _facets(policy: Policy) -> dict[str, str]:
    said = meaning(policy)
    rules = {f"rule {one['name']}": _rule(one) for one in said.pop("rules")}
    order = {_ORDER: ", ".join(one.name for one in policy.rules)}
    said.pop("roles", None)
    return {**_roles(policy), **dict(leaves({**said, **rules, **order}))}


def _roles(policy: Policy) -> dict[str, str]:
    """Return who has each role, apart for what holds for some workflows only."""
    found: dict[str, list[str]] = {}
    for one in sorted(policy.bindings):
        place = "" if one.scope == EVERYWHERE else f" of {one.scope}"
        found.setdefault(f"roles {one.role}s{place}", []).append(one.to)
    return {name: ", ".join(names) for name, names in found.items()}


def _rule(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in said.items() if name != "name"}


def _line(name: str, was: str | None, now: str | None) -> str:
    if was == now:
        return ""
    if was is None:
        return f"new: {name}: {now}"
    return f"no longer: {name}: {was}" if now is None else f"{name}: {was} → {now}"


def _is_marked(line: str, grants: tuple[str, ...]) -> bool:
    """Say whether a line gives something, or takes away or changes what may have held people."""
    if line.startswith("new: "):
        return line.removeprefix("new: ").startswith(grants)
    return not line.startswith(_ORDER)


def _marked(before: Policy, after: Policy) -> Iterator[str]:
    if before.publish is not None and after.publish is None:
        yield f"{MARK}nobody would gate publications, nor changes of the policy, any more"
    names = {one.name for one in after.rules}
    for rule in before.rules:
        if rule.name not in names:
            yield f"{MARK}the rule {rule.name} is gone, with all that it asks"
