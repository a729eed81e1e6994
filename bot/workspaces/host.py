"""The composition root of a host: one process, one address, many workspaces."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.http import HttpServer
from bot.http_threads import in_thread
from bot.hurried import Hurried
from bot.running import Part
from bot.workspaces.departing import Departing
from bot.workspaces.ground import Ground, put_together_one
from bot.workspaces.installing import INSTALL, REDIRECT, Installing, installing_of
from bot.workspaces.needs import app_of, signing_secret_of
from bot.workspaces.oauth_client import AppSecret, OAuthClient
from bot.workspaces.programs import program_routes, watched_routes
from bot.workspaces.reception import Reception
from bot.workspaces.renewing import Renewing
from bot.workspaces.tenants import Tenants

READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host, put together; nothing works until its parts are started."""

    ground: Ground
    tenants: Tenants
    receiver: HttpServer
    api: HttpServer | None = None
    watched: HttpServer | None = None

    @property
    def parts(self) -> list[Part]:
        """Return what to start, in order."""
        return [self.tenants, *self._doors]

    def problem(self) -> str | None:
        """Return why the process had better be started again. No workspace alone is a reason."""
        return next((told for one in self._doors if (told := one.problem()) is not None), None)

    @property
    def _doors(self) -> list[HttpServer]:
        return [one for one in (self.watched, self.api, self.receiver) if one is not None]


def build_host(ground: Ground) -> Host:
    """Put a host together."""
    settings, register, now = ground.settings, ground.register, ground.means.clock
    client_id, client_secret = app_of(settings)
    app = AppSecret(client_id=client_id, client_secret=client_secret)
    slack = OAuthClient(app, base_url=settings.slack_api_url, now=now)
    renewing = Renewing(register.installations, slack, now=now)
    tenants = Tenants(
        register.installations,
        renewing,
        partial(put_together_one, ground),
        allowed=settings.workspaces,
    )
    departing = Departing(register.installations, slack, renewing, changed=tenants.nudge)
    reception = Reception(
        tenants,
        departing,
        signing_secret=signing_secret_of(settings),
        voice=Hurried("", base_url=settings.slack_api_url),
    )
    installing = installing_of(
        settings, register, slack, now=now, is_at_work=partial(_is_at_work, tenants)
    )
    return _doors(ground, tenants, reception, installing)


def _doors(ground: Ground, tenants: Tenants, reception: Reception, installing: Installing) -> Host:
    settings = ground.settings
    host, port = settings.http_address
    programs = program_routes(tenants) if settings.api else []
    is_shared = settings.api == settings.http
    more = [*_install_routes(installing), *(programs if is_shared else [])]
    secret = signing_secret_of(settings)
    receiver = HttpServer(reception, host=host, port=port, signing_secret=secret, more=more)
    api, watched = None, None
    if settings.api and not is_shared:
        host, port = settings.api_address
        api = HttpServer(None, host=host, port=port, more=programs, setting="INTERLOCK_API")
    if settings.metrics:
        host, port = settings.metrics_address
        shown = watched_routes(tenants)
        watched = HttpServer(None, host=host, port=port, more=shown, setting="INTERLOCK_METRICS")
    return Host(ground=ground, tenants=tenants, receiver=receiver, api=api, watched=watched)


def _install_routes(installing: Installing) -> list[BaseRoute]:
    return [
        Route(INSTALL, _in_a_thread(installing.begin), methods=["GET"]),
        Route(REDIRECT, _in_a_thread(installing.finish), methods=["GET"]),
    ]


def _in_a_thread(handle: Callable[[BoltRequest], BoltResponse]) -> Callable[..., object]:
    async def answer(request: Request) -> Response:
        asked = to_bolt_request(request, b"")
        return to_starlette_response(await in_thread(handle, asked))

    return answer


def _is_at_work(tenants: Tenants, ident: str) -> bool:
    """Start a workspace that was just installed, and say whether it is served."""
    tenants.look()
    tenant = tenants.all.get(ident)
    if tenant is None:
        return False
    tenant.wait(READY_SECONDS)
    return tenant.is_open
