"""What programs may ask for over HTTP, under a token: start runs, look at theirs, cancel them.

A token stands for a person, who counts as the requester of what it starts and so can never
approve it. It sees that person's runs and nothing else. The routes stand in `http_routes`.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from bot.core import Core
from bot.field_words import field_words
from bot.json_body import read_object
from bot.order_form import Reason
from bot.permitted import naming
from bot.problems import Answer, DoorError, FieldsError
from bot.rate_limit import RateLimit
from bot.secret_words import refuse_secret
from bot.settings import Settings
from bot.tokens import digest_of, is_token
from bot.wording import joined
from storage.tokens import StoredToken, note_use, token_named, token_of
from workflows.entry import Json, RunId
from workflows.errors import (
    InterlockError,
    KeyReusedError,
    NotAllowedError,
    StorageError,
    UnknownRunError,
)
from workflows.moments import stamp
from workflows.orders import Start
from workflows.people import PersonId
from workflows.store import RunRow

RATE, BURST = 5.0, 60
USE_NOTED_EVERY = timedelta(minutes=1)
RUN = r"[A-Za-z0-9_-]{1,64}"
KEY_WORDS = "1 to 200 printable ASCII characters without spaces"
KEY = r"^[\x21-\x7e]{1,200}$"

log = logging.getLogger(__name__)

Key = Annotated[str, StringConstraints(pattern=KEY)]


class _Asked(BaseModel):
    """Base of what a program may send."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StartAsked(_Asked):
    """A run that a program wants started."""

    workflow: str = Field(  # Postgres can look for no NUL.
        pattern=r"^[^\x00]{1,200}$", description="must be the name of a workflow"
    )
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    key: Key | None = Field(default=None, description=f"must be {KEY_WORDS}")
    channel: str = Field(
        default="",
        pattern=r"^(#?[a-z0-9][a-z0-9_-]{0,79}|[CG][A-Z0-9]{2,20})?$",
        description="must be the name or the id of a channel, such as ops or C0123ABCD",
    )


class CancelAsked(_Asked):
    """Why a run is to be cancelled."""

    reason: Reason


_Form = TypeVar("_Form", bound=_Asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program whose token was taken, and the person it stands for."""

    token: StoredToken
    owner: PersonId


class Api:
    """The programs' door. Safe to share between threads."""

    def __init__(self, core: Core, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._limit = RateLimit(rate=RATE, burst=BURST, ticks=ticks)
        workspace = core.settings.workspace
        below = f"/workspaces/{workspace}" if workspace else ""  # One of many on a host.
        self._root = _prefix(core.settings) + below

    def admit(self, authorization: str) -> Caller:
        """Return who asks, by the header `Authorization`.

        Raises:
            DoorError: it holds no token that opens anything, or asks too often.
            NotAllowedError: the token's owner may ask for nothing any more.
            PeopleUnreadableError: Slack could not say who the owner is.
        """
        caller = self._caller(authorization)
        self._limit.take(caller.token.name)
        self._admit_owner(caller.owner)
        self._core.roles.admit_viewer(caller.owner)
        self._note_use(caller.token)
        return caller

    def _admit_owner(self, owner: PersonId) -> None:
        person = self._core.people.person(owner)
        if not person.counts:
            raise NotAllowedError(
                f"The owner of this token can ask for nothing: {person.why_not}.",
                hint="Have a token made for somebody else.",
            )

    def start(self, caller: Caller, body: bytes, *, key: str | None) -> Answer:
        """Start a run, or return the one that the key started before.

        Raises:
            InterlockError: nothing was started.
        """
        asked = _read(StartAsked, body)
        allowed = caller.token.workflows
        if allowed and asked.workflow not in allowed:
            raise NotAllowedError(
                f"This token may not start {asked.workflow}.",
                hint=f"It may start {joined([*allowed], 'and')}.",
            )
        chosen = _one_key(asked.key, key)
        try:
            with naming(self._core.roles, self._core.library, caller.owner):
                started = self._core.engine.start(self._order(caller, asked, chosen))
        except KeyReusedError as reused:
            raise self._as_seen(caller, reused) from reused
        status = HTTPStatus.CREATED if started.is_new else HTTPStatus.OK
        data: dict[str, Json] = {
            "run": started.run,
            "is_new": started.is_new,
            "links": self._links(started.run),
        }
        where = str(self._links(started.run)["self"])
        return Answer(status=status, data=data, headers={"Location": where})

    def _order(self, caller: Caller, asked: StartAsked, key: str | None) -> Start:
        return Start(
            workflow=asked.workflow,
            inputs=asked.inputs,
            trigger="agent",
            person=caller.owner,
            key=None if key is None else f"agent:{caller.token.ref}/{key}",
            channel=self._channel(asked),
            source=caller.token.name,
        )

    def row(self, caller: Caller, run: str) -> RunRow:
        """Return the row of one of the caller's own runs, as it is now.

        Raises:
            UnknownRunError: there is none, or it is somebody else's.
            NotAllowedError: the caller may not look at those of its workflow, or counts no more.
            PeopleUnreadableError: Slack could not say who the owner is.
            DoorError: the token is in force no more.
        """
        token = token_named(self._core.store.database, caller.token.name)
        if token is None or not token.is_live(self._core.means.clock()):
            raise unknown_token()  # It was revoked while its program waited.
        self._admit_owner(caller.owner)  # As they were when it began to wait, they may not be now.
        row = self._found(run)
        allowed = caller.token.workflows
        if (
            row is None
            or row.requester != caller.token.ref
            or (allowed and row.workflow not in allowed)
        ):
            raise UnknownRunError(
                "There is no such run.",
                hint="A token sees the runs of its owner, and of its own workflows alone.",
            )
        self._core.roles.admit_viewer(caller.owner, row.workflow)
        return row

    def _as_seen(self, caller: Caller, reused: KeyReusedError) -> KeyReusedError:
        """Return a refusal that names the run only to those who may look at it."""
        try:
            self.row(caller, reused.run)
        except InterlockError:
            return KeyReusedError("This key already started something else.", hint=reused.hint)
        return reused

    def _found(self, run: str) -> RunRow | None:
        try:
            return self._core.store.run(RunId(run)) if re.fullmatch(RUN, run) else None
        except UnknownRunError:
            return None

    def cancel(self, caller: Caller, run: str, body: bytes) -> Answer:
        """Cancel one of the caller's own runs.

        Raises:
            InterlockError: nothing was changed.
        """
        reason = _read(CancelAsked, body).reason
        refuse_secret(self._core.redact.holds, reason)
        row = self.row(caller, run)
        self._core.engine.cancel(row.id, person=caller.owner, reason=reason)
        return Answer(status=HTTPStatus.ACCEPTED, data=self.shown(self._core.store.run(row.id)))

    def shown(self, row: RunRow) -> dict[str, Json]:
        """Return a run as programs see it."""
        return {
            "run": row.id,
            "workflow": row.workflow,
            "version": row.version,
            "status": row.status.value,
            "is_over": row.status.is_end,
            "step": row.step,
            "revision": row.rseq,
            "started_at": stamp(row.started_at),
            "finished_at": stamp(row.finished_at) if row.finished_at else None,
            "links": self._links(row.id),
        }

    def _links(self, run: RunId) -> dict[str, Json]:
        own = f"{self._root}/runs/{run}"
        return {"self": own, "cancel": f"{own}/cancel"}

    def _caller(self, authorization: str) -> Caller:
        scheme, _, written = authorization.partition(" ")
        if scheme.lower() != "bearer" or not is_token(written):
            raise unknown_token()
        token = token_of(self._core.store.database, digest_of(written))
        if token is None or token.owner is None or token.revoked_at is not None:
            raise unknown_token()
        if not token.is_live(self._core.means.clock()):
            raise _unauthorized("This token has expired.", hint="Have a new one made.")
        return Caller(token=token, owner=token.owner)

    def _note_use(self, token: StoredToken) -> None:
        now = self._core.means.clock()
        if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
            return
        try:
            note_use(self._core.store.database, token.name, at=now)
        except StorageError:
            log.warning("a token's use was not noted", extra={"token": token.name})

    def _channel(self, asked: StartAsked) -> str:
        channel = asked.channel or self._core.settings.channel
        if not channel and not self._core.library.active(asked.workflow).channel:
            raise FieldsError({"channel": "the run would have no channel for its thread"})
        return channel


def _prefix(settings: Settings) -> str:
    """Return the path below which a proxy shows the API, as far as a setting says.

    INTERLOCK_PUBLIC_URL speaks of INTERLOCK_HTTP: another address may be shown elsewhere.
    """
    is_elsewhere = bool(settings.http and settings.api) and settings.http != settings.api
    return "" if is_elsewhere else urlsplit(settings.public_url).path.rstrip("/")


def _one_key(in_body: str | None, in_header: str | None) -> str | None:
    """Return the idempotency key, wherever it stands; the header may quote it (RFC 9651)."""
    if in_header is None:
        return in_body
    quoted = re.fullmatch(r'"(.*)"', in_header)
    key = quoted[1] if quoted else in_header
    if not re.fullmatch(KEY, key):
        raise DoorError(
            HTTPStatus.BAD_REQUEST,
            "The header Idempotency-Key cannot be used.",
            hint=f"Send {KEY_WORDS}.",
        )
    if in_body is not None and in_body != key:
        raise FieldsError({"key": "is not the one in the header Idempotency-Key"})
    return key


def _read(form: type[_Form], body: bytes) -> _Form:
    given = read_object(body)
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise FieldsError(field_words(error, form)) from None


def unknown_token() -> DoorError:
    """Return the refusal of whoever shows nothing that opens anything here."""
    return _unauthorized(
        "This needs a token that is in force.", hint="Send Authorization: Bearer ilk_…"
    )


def _unauthorized(message: str, *, hint: str) -> DoorError:
    return DoorError(
        HTTPStatus.UNAUTHORIZED, message, hint=hint, headers={"WWW-Authenticate": "Bearer"}
    )
