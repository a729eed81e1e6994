"""How the app comes into a workspace: a page, Slack's question, and what Slack sends back.

The steps and their checks are Bolt's (`OAuthFlow`): the state that is good once and belongs to
one browser, the exchange of the code. What is kept, and for whom, is for the register.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import urlencode

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_flow import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.oauth import OAuthStateStore
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store import InstallationStore

from bot.hurried import UNREACHED
from bot.settings import WORKSPACE_ID, Settings
from bot.slack_errors import SlackError
from bot.workspaces.needs import app_of
from bot.workspaces.oauth_client import OAuthClient
from bot.workspaces.pages import HEADERS, failed_page, install_page, installed_page, unready_page
from bot.workspaces.register import Register
from bot.workspaces.scopes import SCOPES, SPARED
from storage.change import Clock
from storage.installations import Installation, Tokens
from workflows.errors import StorageError

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"

log = logging.getLogger(__name__)

IsAtWork = Callable[[str], bool]

_WHY = {
    "access_denied": ("Slack was told not to.", "Begin again if that was a mistake."),
    "invalid_browser": (
        "This browser did not begin the installation.",
        "Begin and finish it in one browser that takes cookies, over https.",
    ),
    "invalid_state": (
        "This took longer than ten minutes, or was done before.",
        "Begin again; the page was not meant to be loaded twice.",
    ),
    "missing_code": ("Slack sent no code.", "Begin again."),
    "invalid_code": (
        "Slack did not take the code it had sent.",
        "Begin again. If it stays so, the operator has to look at SLACK_CLIENT_SECRET.",
    ),
}


class NotAllowedHereError(BoltError):
    """A workspace that this host does not serve; the message names it."""


class WithoutBotError(BoltError):
    """Slack gave nothing under which a bot could work."""


class _States(OAuthStateStore):
    def __init__(self, register: Register) -> None:
        self._states = register.states

    def issue(self, *_args: object, **_named: object) -> str:
        return self._states.issue()

    def consume(self, state: str) -> bool:
        return self._states.consume(state)


class _Store(InstallationStore):
    """What Bolt stores to. It reads nothing back: each workspace's bot has its own token."""

    def __init__(
        self, register: Register, slack: OAuthClient, *, allowed: frozenset[str], now: Clock
    ) -> None:
        self._installations = register.installations
        self._slack = slack
        self._allowed = allowed
        self._now = now

    def save(self, installation: SlackInstallation) -> None:
        """Store the tokens of a workspace that is served; give those of any other back.

        Raises:
            NotAllowedHereError: it is not served here.
            WithoutBotError: there is no token of a bot; what was stored before stays.
        """
        made = read_installation(installation, now=self._now)
        if made.id not in self._allowed:
            self._give_back(made)
        if made.tokens is None:
            # The address in which Slack is told what for is the person's own to change.
            log.warning("an installation without a bot was refused", extra=_told(made))
            raise WithoutBotError(made.id)
        self._installations.save(made)
        log.info("the app was installed", extra=_told(made))

    def _give_back(self, made: Installation) -> NoReturn:
        log.warning("an installation was refused", extra=_told(made))
        try:
            if made.tokens is not None:
                self._slack.revoke(made.tokens.bot)
        except SlackError:
            log.warning("its token was not given back", exc_info=True)
        raise NotAllowedHereError(made.id)


def _told(made: Installation) -> dict[str, str]:
    return {"workspace": made.id, "called": made.name, "by": made.installed_by}


def read_installation(found: SlackInstallation, *, now: Clock) -> Installation:
    """Return what Slack told of an installation, as it is stored."""
    is_org = bool(found.is_enterprise_install)
    ends = found.bot_token_expires_at
    tokens = Tokens(
        bot=found.bot_token or "",
        refresh=found.bot_refresh_token or "",
        expires_at=None if ends is None else datetime.fromtimestamp(ends, UTC),
    )
    scopes = tuple(found.bot_scopes or ())
    lacking = ", ".join(sorted(SCOPES.keys() - SPARED - {*scopes}))
    return Installation(
        id=str(found.enterprise_id if is_org else found.team_id),
        name=str((found.enterprise_name if is_org else found.team_name) or ""),
        app=str(found.app_id or ""),
        bot_user=str(found.bot_user_id or ""),
        scopes=scopes,
        installed_by=str(found.user_id or ""),
        installed_at=now(),
        tokens=tokens if tokens.bot else None,
        trouble=f"it was installed without {lacking}" if lacking else "",
    )


class _Flow(OAuthFlow):
    def build_authorize_url(self, state: str, request: BoltRequest) -> str:
        # Bolt writes what stands in our own address into Slack's as it is.
        team = (request.query.get("team") or [""])[0]
        asked = {
            "client_id": self.client_id,
            "scope": ",".join(self.settings.scopes or ()),
            "state": state,
            **({"redirect_uri": self.redirect_uri} if self.redirect_uri else {}),
            **({"team": team} if WORKSPACE_ID.fullmatch(team) else {}),
        }
        return f"{self.settings.authorization_url}?{urlencode(asked)}"

    def build_install_page_html(self, url: str, request: BoltRequest) -> str:
        del request
        return install_page(url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installing:
    """The two addresses of an installation."""

    flow: OAuthFlow

    def begin(self, request: BoltRequest) -> BoltResponse:
        """Return the page with the way to Slack, and a state that is this browser's."""
        try:
            response = self.flow.handle_installation(request)
        except StorageError as refused:
            response = _unrecorded(refused)
        return _with_headers(response)

    def finish(self, request: BoltRequest) -> BoltResponse:
        """Take what Slack sent back with the person; return how it went."""
        try:
            response = self.flow.handle_callback(request)
        except UNREACHED as error:
            log.warning("an installation failed", extra={"error": type(error).__name__})
            why, hint = "Slack did not answer in time.", "Begin again in a minute."
            response = _page(failed_page(why, hint=hint, again=INSTALL), status=502)
        except StorageError as refused:
            response = _unrecorded(refused)
        utils = self.flow.settings.state_utils
        response.headers["set-cookie"] = [utils.build_set_cookie_for_deletion()]
        return _with_headers(response)


def installing_of(
    settings: Settings,
    register: Register,
    slack: OAuthClient,
    *,
    now: Clock,
    is_at_work: IsAtWork,
) -> Installing:
    """Put the flow together. `is_at_work` starts a workspace and says whether that went well."""
    client_id, client_secret = app_of(settings)
    store = _Store(register, slack, allowed=frozenset(settings.workspaces), now=now)

    def success(told: SuccessArgs) -> BoltResponse:
        made = read_installation(told.installation, now=now)
        if is_at_work(made.id):
            return _page(_begun(made, settings.command))
        return _page(unready_page(name=made.name, ident=made.id))

    return Installing(
        flow=_Flow(
            client=slack.web,
            logger=logging.getLogger("slack_bolt"),
            settings=OAuthSettings(
                client_id=client_id,
                client_secret=client_secret,
                scopes=tuple(SCOPES),
                user_scopes=(),
                redirect_uri=f"{settings.public_url}{REDIRECT}" if settings.public_url else None,
                install_path=INSTALL,
                redirect_uri_path=REDIRECT,
                authorization_url=settings.authorize_url,
                installation_store=store,
                state_store=_States(register),
                callback_options=CallbackOptions(success=success, failure=_failure),
            ),
        )
    )


def _begun(made: Installation, command: str) -> str:
    return installed_page(
        name=made.name, command=command, ident=made.id, trouble=made.trouble, again=INSTALL
    )


def _failure(told: FailureArgs) -> BoltResponse:
    if isinstance(told.error, NotAllowedHereError):
        why = f"This server does not serve the workspace {told.error}, so nothing was kept."
        hint = f"Whoever runs it can add {told.error} to INTERLOCK_WORKSPACES; then begin again."
        return _page(failed_page(why, hint=hint), status=403)
    if isinstance(told.error, WithoutBotError):
        why = "Slack was asked for an installation without a bot, so nothing was kept."
        page = failed_page(why, hint="Begin again, and leave the address as it is.", again=INSTALL)
        return _page(page, status=400)
    why, hint = _WHY.get(told.reason, (f"Slack said: {told.reason}.", "Begin again."))
    page = failed_page(why, hint=hint, again=INSTALL)
    return _page(page, status=told.suggested_status_code)


def _unrecorded(refused: StorageError) -> BoltResponse:
    """Return the page of an installation that could not be kept, by a full disk for example."""
    log.warning("an installation could not be recorded", exc_info=refused)
    page = failed_page(refused.message, hint=refused.hint or "Begin again.", again=INSTALL)
    return _page(page, status=503)


def _page(html: str, *, status: int = 200) -> BoltResponse:
    return BoltResponse(status=status, body=html, headers=dict(HEADERS))


def _with_headers(response: BoltResponse) -> BoltResponse:
    for name, value in HEADERS.items():
        response.headers.setdefault(name.lower(), [value])
    return response
