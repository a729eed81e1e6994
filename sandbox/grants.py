"""Bot tokens of one workspace: given at an installation, renewed where tokens rotate, ended.

How an app comes by them is told in `oauth`.
"""

from collections.abc import Iterable

from sandbox.records import Grant, User
from sandbox.state import State

LIFETIME = 43_200


def refusal_of(state: State, token: str) -> str | None:
    """Return the error that a call with this bot token meets, None if it is good."""
    if token in state.revoked:
        return state.revoked[token]
    grant = state.grants.get(token)
    if grant is None:
        return "invalid_auth"
    is_over = grant.expires is not None and state.now() >= grant.expires
    return grant.ended or ("token_expired" if is_over else None)


def newest_token(state: State) -> str:
    """Return the bot token that was given last, "" before there was one."""
    return next(reversed(state.grants), "")


def installed(state: State, *, scopes: Iterable[str], rotates: bool) -> Grant:
    """Install the app, or install it again, and return its new token."""
    state.installed = True
    state.scopes = frozenset(scopes)
    _bot(state).deleted = False
    if rotates:
        return _rotating(state)
    good = next((one for one in state.grants.values() if not one.ended and not one.refresh), None)
    # Without rotation an app that is installed already gets the token it has.
    return good or _keep(state, Grant(token=f"xoxb-{state.settings.team}-{state.next_id('')}"))


def renewed(state: State, grant: Grant) -> Grant:
    """Return the next token; the refresh token is used up by that."""
    grant.refresh = ""
    return _rotating(state)


def end_all(state: State, error: str) -> None:
    """End every token, and take the bot out of its channels, as Slack does with the last one."""
    for grant in state.grants.values():
        grant.ended = grant.ended or error
        grant.refresh = ""
    state.installed = False
    bot = _bot(state)
    bot.deleted = True
    for channel in state.channels.values():
        if channel.kind != "im" and bot.id in channel.members:
            channel.members.remove(bot.id)


def _rotating(state: State) -> Grant:
    return _keep(
        state,
        Grant(
            token=f"xoxe.xoxb-1-{state.next_id('', 24)}",
            refresh=f"xoxe-1-{state.next_id('', 24)}",
            expires=state.now() + LIFETIME,
        ),
    )


def _keep(state: State, grant: Grant) -> Grant:
    state.grants[grant.token] = grant
    return grant


def _bot(state: State) -> User:
    return state.users[state.bot]
