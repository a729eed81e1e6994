"""The page on which somebody gives the app leave to come into their workspace.

`GET /oauth/v2/authorize` shows it, `POST` is the click on *Allow* or *Cancel*; both go back to
the app's redirect address, with a code or with an error.
"""

import html
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.cluster import Cluster
from sandbox.hub import Hub
from sandbox.oauth_codes import LIFETIME, Code

PATH = "/oauth/v2/authorize"
SEE_OTHER, BAD_REQUEST = 303, 400
KEPT = ("client_id", "scope", "state", "redirect_uri", "team")


def authorize_routes(cluster: Cluster) -> list[BaseRoute]:
    """Return the routes of the page."""
    asking = _Asking(cluster)
    return [
        Route(PATH, asking.show, methods=["GET"]),
        Route(PATH, asking.answer, methods=["POST"]),
    ]


class _Asking:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def show(self, request: Request) -> Response:
        """Show who asks for what, and where it could be allowed."""
        asked = dict(request.query_params)
        if problem := self._problem(asked):
            return HTMLResponse(_page("Something went wrong", f"<p>{problem}</p>"), BAD_REQUEST)
        return HTMLResponse(_page("Allow this app?", self._form(asked)))

    async def answer(self, request: Request) -> Response:
        """Take the click, and send the browser back to the app."""
        said = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        hub = self._cluster.at(said.get("team", ""))
        if hub is None or self._problem(said):
            return HTMLResponse(_page("Something went wrong", "<p>Begin again.</p>"), BAD_REQUEST)
        if said.get("answer") != "allow":
            return self._back(said, {"error": "access_denied"})
        return self._back(said, {"code": self._code(hub, said).value})

    def _problem(self, asked: Mapping[str, str]) -> str | None:
        app = self._cluster.first.app
        if asked.get("client_id") != app.client_id:
            return "invalid_client_id"
        redirect = asked.get("redirect_uri") or ""
        if not app.redirect_urls or (redirect and redirect not in app.redirect_urls):
            return "bad_redirect_uri"
        unknown = set(_scopes(asked)) - app.scopes
        return f"invalid_scope: {html.escape(', '.join(sorted(unknown)))}" if unknown else None

    def _code(self, hub: Hub, said: Mapping[str, str]) -> Code:
        state = hub.state
        return self._cluster.codes.keep(
            Code(
                value=f"{state.next_id('', 12)}.{state.next_id('', 32).lower()}",
                team=hub.settings.installed_as,
                user=_installer(hub),
                scopes=_scopes(said),
                redirect_uri=said.get("redirect_uri") or "",
                expires=state.now() + LIFETIME,
            )
        )

    def _back(self, said: Mapping[str, str], more: Mapping[str, str]) -> Response:
        app = self._cluster.first.app
        where = said.get("redirect_uri") or app.redirect_urls[0]
        query = urlencode({**more, "state": said.get("state") or ""})
        return RedirectResponse(f"{where}?{query}", SEE_OTHER)

    def _form(self, asked: Mapping[str, str]) -> str:
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(asked.get(name, ""))}">'
            for name in KEPT[:-1]
        )
        places = "".join(_option(one, asked.get("team", "")) for one in self._cluster.hubs)
        scopes = "".join(f"<li>{html.escape(one)}</li>" for one in _scopes(asked))
        name = html.escape(self._cluster.first.app.name)
        return (
            f'<form method="post">{kept}<p><strong>{name}</strong> asks for leave to enter'
            f' <select name="team" aria-label="Workspace">{places}</select></p>'
            f"<p>It would be able to do what these scopes say:</p><ul>{scopes}</ul>"
            '<button name="answer" value="cancel">Cancel</button> '
            '<button name="answer" value="allow" class="primary">Allow</button></form>'
        )


def _scopes(asked: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(one for one in (asked.get("scope") or "").split(",") if one)


def _option(hub: Hub, wanted: str) -> str:
    ident, org = hub.settings.installed_as, hub.settings.organisation
    name = f"{org.name} (whole organisation)" if org else hub.settings.team_name
    chosen = " selected" if wanted == ident else ""
    return f'<option value="{ident}"{chosen}>{html.escape(name)}</option>'


def _installer(hub: Hub) -> str:
    people = [one for one in hub.state.users.values() if not one.is_bot and not one.is_stranger]
    admins = [one for one in people if one.is_admin]
    return next((one.id for one in [*admins, *people]), hub.state.bot)


def _page(title: str, inside: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{title} · Sandbox</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}"
        "button{font:inherit;padding:.4rem 1rem}.primary{background:#007a5a;color:#fff;border:0}"
        f"select{{font:inherit}}</style><h1>{title}</h1>{inside}</html>"
    )
