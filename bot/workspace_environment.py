"""The environment as one of many workspaces has it: what is for others stays out.

A variable that ends in `__T0ACME` counts for that workspace alone, in the place of the one
without: `INTERLOCK_SECRET_SHOP_TOKEN__T0ACME`, `INTERLOCK_CHANNEL__T0ACME`.
"""

import re
from collections.abc import Mapping

LISTED = "INTERLOCK_WORKSPACES"
MARK = "__"
# A word in capitals may look like it, but has no digit.
LIKE_AN_ID = re.compile(r"[TE](?:0[A-Z0-9]+|(?=[A-Z]*[0-9])[A-Z0-9]{7,30})")


def listed_in(written: str) -> tuple[str, ...]:
    """Return the ids in a list as people write it, with commas or spaces."""
    return tuple(one for one in re.split(r"[,\s]+", written) if one)


def environment_of(environment: Mapping[str, str], workspace: str) -> Mapping[str, str]:
    """Return what of `environment` is for `workspace`; for none, everything is."""
    if not workspace:
        return environment
    ids = {workspace, *listed_in(environment.get(LISTED, ""))}
    kept = {
        name: value
        for name, value in environment.items()
        # What is of one that is listed no more must not become everybody's by that.
        if (owner := _owner(name)) not in ids and not LIKE_AN_ID.fullmatch(owner)
    }
    own = {
        name.removesuffix(MARK + workspace): value
        for name, value in environment.items()
        if _owner(name) == workspace
    }
    return {**kept, **own}


def _owner(name: str) -> str:
    return name.rpartition(MARK)[2] if MARK in name else ""
