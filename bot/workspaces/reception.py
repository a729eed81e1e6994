"""Takes what Slack delivers to the one address of the app, and hands it to its workspace.

A request is believed for its signature, and then goes to the workspace whose installation
Slack names in it. Nothing a person can type or click changes that name.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from slack_bolt import BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.hurried import Hurried
from bot.payloads import thread_to_answer
from bot.refusals import refusal
from bot.slack_errors import SlackError
from bot.views.notice import notice
from bot.views.request_modals import refused_modal
from bot.workspaces.departing import FAREWELLS, Departing
from bot.workspaces.door import NotServedError
from bot.workspaces.tenants import Tenants, UnknownWorkspaceError
from workflows.errors import InterlockError, StorageError

log = logging.getLogger(__name__)

Body = Mapping[str, Any]


class Reception:
    """Stands where Bolt's app stands for one workspace."""

    def __init__(
        self, tenants: Tenants, departing: Departing, *, signing_secret: str, voice: Hurried
    ) -> None:
        self._tenants = tenants
        self._departing = departing
        self._verifier = SignatureVerifier(signing_secret)
        self._voice = voice

    def dispatch(self, request: BoltRequest) -> BoltResponse:
        """Return the answer of the workspace that a request is for, or why it has none."""
        body: Body = request.body
        if body.get("ssl_check") == "1":
            return BoltResponse(status=HTTPStatus.OK)
        if not self._is_signed(request):
            return BoltResponse(status=HTTPStatus.UNAUTHORIZED, body={"error": "invalid request"})
        if body.get("type") == "url_verification":
            return BoltResponse(status=HTTPStatus.OK, body={"challenge": body.get("challenge")})
        if kind_of_event(body) in FAREWELLS:
            return self._part(request)
        ident = installation_in(request)
        try:
            with self._tenants.entered(ident) as door:
                return door.app.dispatch(request)
        except (UnknownWorkspaceError, NotServedError) as refused:
            log.info("nobody takes this up", extra={"workspace": ident, "why": str(refused)})
            return self._refuse(body, refused)

    def _is_signed(self, request: BoltRequest) -> bool:
        stamp = request.headers.get("x-slack-request-timestamp", ["0"])[0]
        signature = request.headers.get("x-slack-signature", [""])[0]
        return stamp.isdecimal() and self._verifier.is_valid(request.raw_body, stamp, signature)

    def _part(self, request: BoltRequest) -> BoltResponse:
        # A farewell does not say whether it is that of a workspace or of its organisation.
        named = (request.context.team_id, request.context.enterprise_id)
        try:
            for ident in named:
                self._departing.consider(ident or "")
        except (SlackError, StorageError):
            # Slack tells it again in a minute.
            log.warning("whether the app was removed is not known yet", extra={"named": named})
            return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
        return BoltResponse(status=HTTPStatus.OK)

    def _refuse(self, body: Body, refused: InterlockError) -> BoltResponse:
        words = refusal(refused)
        if body.get("type") == "event_callback":
            # What Slack cannot deliver now it delivers again, unless nobody will ever take it.
            is_gone = isinstance(refused, UnknownWorkspaceError)
            return BoltResponse(status=HTTPStatus.OK if is_gone else HTTPStatus.SERVICE_UNAVAILABLE)
        if "command" in body:
            shown = {"response_type": "ephemeral", **notice(words).payload}
            return BoltResponse(status=HTTPStatus.OK, body=shown)
        if body.get("type") == "view_submission":
            view = refused_modal(words).to_dict()
            return BoltResponse(
                status=HTTPStatus.OK, body={"response_action": "update", "view": view}
            )
        if url := str(body.get("response_url") or ""):
            place = body.get("container") or body.get("message") or {}
            self._voice.answer(url, notice(words), thread=thread_to_answer(place))
        return BoltResponse(status=HTTPStatus.OK)


def kind_of_event(body: Body) -> str:
    """Return what an event tells, "" for anything else."""
    event = body.get("event")
    is_event = body.get("type") == "event_callback" and isinstance(event, Mapping)
    return str(event.get("type")) if is_event and event is not None else ""


def installation_in(request: BoltRequest) -> str:
    """Return under which id the app is installed where a request comes from, "" if none is said.

    Bolt reads both ids from wherever the many kinds of payload have them. A modal may name an
    organisation in the place of a team.
    """
    context = request.context
    if context.is_enterprise_install and context.enterprise_id:
        return context.enterprise_id
    return context.team_id or ""
