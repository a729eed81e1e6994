"""The routes for programs, webhooks and those who watch, each under the id of a workspace.

A token opens only the workspace in whose log it was made: at another address nobody knows it.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from starlette.routing import BaseRoute, Mount, Router
from starlette.types import Receive, Scope, Send

from bot.api import unknown_token
from bot.http_answer import response_of
from bot.http_threads import in_thread
from bot.problems import SOON, problem, problem_of
from bot.workspaces.door import Door, NotServedError
from bot.workspaces.tenants import Tenants, UnknownWorkspaceError
from workflows.errors import StorageError

PREFIX = "/workspaces/{workspace}"


def program_routes(tenants: Tenants) -> Sequence[BaseRoute]:
    """Return the routes for programs and webhooks."""
    return [Mount(PREFIX, app=_Gate(tenants, lambda door: door.routes))]


def watched_routes(tenants: Tenants) -> Sequence[BaseRoute]:
    """Return the routes for those who watch."""
    return [Mount(PREFIX, app=_Gate(tenants, lambda door: door.watched))]


class _Gate:
    def __init__(self, tenants: Tenants, inside: Callable[[Door], Router]) -> None:
        self._tenants = tenants
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ident = scope["path_params"]["workspace"]
        try:
            if ident not in self._tenants.all:
                # The register is read for it, and nobody else shall wait for that.
                raise await in_thread(self._tenants.refusal_of, ident)
            with self._tenants.entered(ident) as door:
                await self._inside(door)(scope, receive, send)
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
        except StorageError as refused:
            await response_of(problem_of(refused))(scope, receive, send)
