"""Making and revoking the tokens of programs, as the command line asks for it.

A token stands for one person, who counts as the requester of whatever it starts.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from bot.core import Core
from bot.one_person import one_person
from bot.order_form import OrderForm
from bot.tokens import digest_of, make_token
from storage.tokens import token_named
from workflows.duration import Duration, at_most
from workflows.entry import Actor, ActorKind, Draft, Json
from workflows.errors import InterlockError
from workflows.moments import stamp
from workflows.people import PersonId
from workflows.store import Unit

LONGEST = timedelta(days=366)
NAME = r"^[a-z][a-z0-9_-]{0,63}$"


class TokenOrder(OrderForm):
    """Make a token that stands for `owner`; without `workflows` it may start what they may."""

    do: Literal["token"] = "token"
    name: str = Field(pattern=NAME)
    owner: str = Field(min_length=1, max_length=200)
    workflows: tuple[str, ...] = Field(default=(), max_length=50)
    lasts: Annotated[Duration, at_most(LONGEST)] = timedelta(days=90)


class RevokeOrder(OrderForm):
    """Let a token open nothing from now on."""

    do: Literal["revoke"] = "revoke"
    name: str = Field(max_length=64)


class TokenError(InterlockError):
    """A token cannot be made or revoked."""


def make(core: Core, order: TokenOrder, *, person: PersonId) -> Mapping[str, Json]:
    """Make a token and return it; this is the only time that anybody sees it.

    Raises:
        TokenError: the name was used before.
        UnknownWorkflowError: it is to be limited to a workflow that does not exist.
        NotAllowedError: the owner is not one person who may ask for something.
        PeopleUnreadableError: Slack could not say who the owner is.
    """
    for name in order.workflows:
        core.library.active(name)
    owner = one_person(core.people, order.owner)
    _refuse_used(core, order.name)
    token = make_token(core.means.random())
    with core.store.begin() as unit:
        expires = stamp(unit.now + order.lasts)
        data: dict[str, Json] = {
            "token": order.name,
            "owner": unit.ref(owner.id, owner.name),
            "workflows": list(dict.fromkeys(order.workflows)),
            "expires": expires,
            "digest": digest_of(token),
        }
        unit.append(Draft(kind="token.created", actor=_actor(unit, core, person), data=data))
    return {
        "ok": True,
        "name": order.name,
        "token": token,
        "owner": owner.name,
        "workflows": data["workflows"],
        "expires_at": expires,
    }


def revoke(core: Core, order: RevokeOrder, *, person: PersonId) -> Mapping[str, Json]:
    """End a token at once; a run that it started goes on.

    Raises:
        TokenError: there is no such token, or it is revoked already.
    """
    found = token_named(core.store.database, order.name)
    if found is None:
        raise TokenError(f"There is no token {order.name}.", hint="See `interlock token list`.")
    if found.revoked_at is not None:
        raise TokenError(f"The token {order.name} is revoked already.")
    with core.store.begin() as unit:
        actor = _actor(unit, core, person)
        unit.append(Draft(kind="token.revoked", actor=actor, data={"token": order.name}))
    return {"ok": True, "name": order.name}


def _refuse_used(core: Core, name: str) -> None:
    if token_named(core.store.database, name) is not None:
        raise TokenError(
            f"There was a token called {name} before, and a name stands for one token for ever.",
            hint=f"Use another name, such as {name}-2.",
        )


def _actor(unit: Unit, core: Core, person: PersonId) -> Actor:
    name = core.people.person(person).name
    return Actor(kind=ActorKind.USER, ref=unit.ref(person, name))
