"""The routes for programs and webhooks of many workspaces: each under the workspace's id.

A token opens only the workspace in whose log it was made: at another address nobody knows it.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from bot.api import unknown_token
from bot.http_routes import response_of
from bot.problems import SOON, problem, problem_of
from bot.workspaces.door import NotServedError
from bot.workspaces.tenants import Tenants, UnknownWorkspaceError

PREFIX = "/workspaces/{workspace}"


def program_routes(tenants: Tenants) -> Sequence[BaseRoute]:
    """Return the routes to serve."""
    return [Mount(PREFIX, app=_Gate(tenants))]


class _Gate:
    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._tenants.entered(scope["path_params"]["workspace"]) as door:
                await door.routes(scope, receive, send)
        except UnknownWorkspaceError:
            # As for a token that nobody knows: a stranger does not learn who is served here.
            await response_of(problem_of(unknown_token()))(scope, receive, send)
        except NotServedError as refused:
            shown = problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                kind="not-served",
                detail=refused.message,
                hint=refused.hint,
                headers=SOON,
            )
            await response_of(shown)(scope, receive, send)
