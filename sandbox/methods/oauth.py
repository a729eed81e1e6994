"""`oauth.v2.access`: a code, or a refresh token, for a bot token."""

from sandbox.errors import SlackError
from sandbox.grants import LIFETIME, installed, renewed
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.table import method
from sandbox.oauth_codes import Code
from sandbox.records import Grant


@method(
    "oauth.v2.access",
    required="client_id client_secret",
    optional="code code_verifier grant_type redirect_uri refresh_token",
    public=True,
)
def access(hub: Hub, arguments: Json) -> Json:
    """Exchange what the app was handed."""
    if arguments["client_id"] != hub.app.client_id:
        raise SlackError("invalid_client_id")
    if arguments["client_secret"] != hub.app.client_secret:
        raise SlackError("bad_client_secret")
    kind = arguments.get("grant_type") or "authorization_code"
    if kind == "refresh_token":
        return _refreshed(hub, str(arguments.get("refresh_token") or ""))
    if kind != "authorization_code":
        raise SlackError("invalid_grant_type")
    return _exchanged(hub, arguments)


def _exchanged(hub: Hub, arguments: Json) -> Json:
    code = hub.cluster.codes.find(str(arguments.get("code") or ""))
    if code is None or code.expires <= hub.state.now():
        raise SlackError("invalid_code")
    if code.used:
        raise SlackError("code_already_used")
    if (arguments.get("redirect_uri") or "") != code.redirect_uri:
        raise SlackError("bad_redirect_uri")
    code.used = True
    if not code.scopes:
        return _for_a_person(hub, code)
    grant = installed(hub.state, scopes=code.scopes, rotates=hub.app.rotates)
    hub.state.changed("installed", team=hub.settings.team)
    return _answer(hub, grant, code)


def _refreshed(hub: Hub, refresh: str) -> Json:
    if not hub.app.rotates:
        raise SlackError("token_rotation_not_enabled")
    grants = hub.state.grants.values()
    grant = next((one for one in grants if refresh and one.refresh == refresh), None)
    if grant is None:
        raise SlackError("invalid_refresh_token")
    return _answer(hub, renewed(hub.state, grant), None)


def _for_a_person(hub: Hub, code: Code) -> Json:
    """Answer for a code that was agreed to without any scope for the bot: there is no bot token."""
    token = f"xoxp-{hub.settings.team}-{hub.state.next_id('')}"
    whose = {"id": code.user, "scope": "", "access_token": token, "token_type": "user"}
    return {**_place(hub), "authed_user": whose}


def _place(hub: Hub) -> Json:
    org = hub.settings.organisation
    team = {"id": hub.settings.team, "name": hub.settings.team_name}
    return {
        "app_id": hub.app.id,
        "team": None if org else team,
        "enterprise": {"id": org.id, "name": org.name} if org else None,
        "is_enterprise_install": org is not None,
    }


def _answer(hub: Hub, grant: Grant, code: Code | None) -> Json:
    made: Json = {
        "access_token": grant.token,
        "token_type": "bot",
        "scope": ",".join(sorted(hub.state.scopes)),
        "bot_user_id": hub.state.bot,
        **_place(hub),
    }
    if grant.expires is not None:
        made |= {"expires_in": LIFETIME, "refresh_token": grant.refresh}
    if code is not None:
        made["authed_user"] = {"id": code.user}
    return made
