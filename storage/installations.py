"""Which workspaces installed the app, with their tokens, which lie sealed under their own name.

The rows of a host that serves many workspaces. A token is renewed by one process at a time:
whoever takes the right to it reads the tokens after that, and stores the new ones only while
it still has the right.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from storage.change import Clock, RowSql
from storage.installation_models import InstallationRecord
from storage.sealing import Sealer
from storage.transaction import Database
from workflows.errors import SecretError

LOG = "interlock/installations"  # What the tokens are sealed for; there is one store to a host.
BOT_TOKEN, REFRESH_TOKEN = "bot_token", "refresh_token"
RENEWED_BEFORE = timedelta(minutes=120)
LONGEST = timedelta(days=1)  # Slack's last half as long; what seems to last longer does not.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A bot token, and where it expires what a new one is got for."""

    bot: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Say whether it is time to get a new one.

        It is as well where a clock that ran ahead said when it expires.
        """
        if self.expires_at is None:
            return False
        return not RENEWED_BEFORE <= self.expires_at - now <= LONGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The app in one workspace, or in an organisation as a whole.

    Without tokens it was removed, or they cannot be opened, which `trouble` says.
    """

    id: str  # `T…` of a workspace, `E…` of an organisation.
    name: str
    app: str
    bot_user: str
    scopes: tuple[str, ...]
    installed_by: str
    installed_at: datetime
    tokens: Tokens | None
    removed_at: datetime | None = None
    trouble: str = ""

    @property
    def is_org(self) -> bool:
        """Whether it is one of a whole organisation."""
        return self.id.startswith("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An installation as an operator sees it: everything but its tokens."""

    id: str
    name: str
    installed_by: str
    installed_at: datetime
    expires_at: datetime | None
    removed_at: datetime | None
    trouble: str


def list_installations(database: Database) -> list[Listed]:
    """Return every installation there was, in order of their ids; no key is needed for it."""
    table = InstallationRecord.__table__
    chosen = [table.c[one] for one in Listed.__slots__]
    with database.read() as connection:
        found = connection.execute(select(*chosen).order_by(table.c.id)).mappings()
        return [Listed(**one) for one in found]


class Installations:
    """The installations of a host. Safe to share between threads and processes."""

    def __init__(self, database: Database, sealer: Sealer, *, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._now = now

    def save(self, made: Installation) -> None:
        """Store an installation in place of an earlier one of the same workspace.

        A renewal that is under way is forgotten: the tokens it began with no longer count.
        """
        tokens = made.tokens
        with self._database.begin() as tx:
            RowSql(tx).run(
                _SAVE,
                *(made.id, made.name, made.app, made.bot_user, ",".join(made.scopes)),
                *(made.installed_by, made.installed_at),
                self._sealed(made.id, BOT_TOKEN, tokens.bot if tokens else ""),
                self._sealed(made.id, REFRESH_TOKEN, tokens.refresh if tokens else ""),
                *(tokens.expires_at if tokens else None, made.removed_at, made.trouble),
            )

    def find(self, ident: str) -> Installation | None:
        """Return the installation of that workspace, a removed one too."""
        return next(iter(self._read(ident)), None)

    def all(self) -> list[Installation]:
        """Return every installation there was, in order of their ids."""
        return self._read(None)

    def remove(self, found: Installation) -> bool:
        """Forget the tokens of an installation, and remember when; False if somebody did before.

        Those of a newer installation of the same workspace stay.
        """
        with self._database.begin() as tx:
            removed = RowSql(tx).run(
                "UPDATE installation SET bot_token = NULL, refresh_token = NULL,"
                " expires_at = NULL, renewing_until = NULL, removed_at = ?, trouble = ''"
                " WHERE id = ? AND installed_at = ? AND removed_at IS NULL",
                *(self._now(), found.id, found.installed_at),
            )
            return bool(removed.rowcount)

    def note_trouble(self, ident: str, trouble: str) -> None:
        """Remember what is wrong with a workspace, for whoever asks; "" if nothing is."""
        with self._database.begin() as tx:
            RowSql(tx).run(
                "UPDATE installation SET trouble = ? WHERE id = ? AND removed_at IS NULL",
                *(trouble, ident),
            )

    def take_renewal(self, ident: str, *, expired: str = "") -> "Renewal | None":
        """Return the right to renew the tokens of a workspace, None if it is not the moment.

        It is not while another process has the right, nor once that one has renewed them. It is
        before the time for the bot token that Slack calls `expired`.
        """
        due = "" if expired else " AND (expires_at < ? OR expires_at > ?)"
        now = self._now()
        until = now + LEASE
        with self._database.begin() as tx:
            taken = RowSql(tx).run(
                # Nobody has the right for longer than that but by a clock that ran ahead.
                "UPDATE installation SET renewing_until = ? WHERE id = ?"  # noqa: S608  fixed texts
                f" AND (renewing_until IS NULL OR renewing_until <= ? OR renewing_until > ?){due}",
                *(until, ident, now, now + 2 * LEASE),
                *(() if expired else (now + RENEWED_BEFORE, now + LONGEST)),
            )
            if not taken.rowcount:
                return None
        found = self.find(ident)
        if found is None or found.tokens is None:
            return None
        right = Renewal(id=ident, tokens=found.tokens, until=until)
        if expired and found.tokens.bot != expired:
            self.give_back(right)
            return None
        return right

    def renew(self, right: "Renewal", tokens: Tokens) -> bool:
        """Store what `right` was used for; False if it was lost to a new installation."""
        with self._database.begin() as tx:
            stored = RowSql(tx).run(
                "UPDATE installation SET bot_token = ?, refresh_token = ?, expires_at = ?,"
                " renewing_until = NULL, trouble = '' WHERE id = ? AND renewing_until = ?",
                self._sealed(right.id, BOT_TOKEN, tokens.bot),
                self._sealed(right.id, REFRESH_TOKEN, tokens.refresh),
                *(tokens.expires_at, right.id, right.until),
            )
            return bool(stored.rowcount)

    def give_back(self, right: "Renewal") -> None:
        """Let others renew the tokens: Slack did not."""
        with self._database.begin() as tx:
            RowSql(tx).run(
                "UPDATE installation SET renewing_until = NULL WHERE id = ? AND renewing_until = ?",
                *(right.id, right.until),
            )

    def _read(self, ident: str | None) -> list[Installation]:
        query = select(InstallationRecord.__table__).order_by(InstallationRecord.id)
        if ident is not None:
            query = query.where(InstallationRecord.id == ident)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [self._installation(row) for row in rows]

    def _installation(self, row: Row[Any]) -> Installation:
        found = Installation(
            id=row.id,
            name=row.name,
            app=row.app,
            bot_user=row.bot_user,
            scopes=tuple(one for one in row.scopes.split(",") if one),
            installed_by=row.installed_by,
            installed_at=row.installed_at,
            tokens=None,
            removed_at=row.removed_at,
            trouble=row.trouble,
        )
        if row.bot_token is None:
            return found
        try:
            tokens = Tokens(
                bot=self._opened(row.id, BOT_TOKEN, row.bot_token),
                refresh=self._opened(row.id, REFRESH_TOKEN, row.refresh_token),
                expires_at=row.expires_at,
            )
        except SecretError as error:
            return replace(found, trouble=str(error))  # One row must not stop the others.
        return replace(found, tokens=tokens)

    def _sealed(self, ident: str, column: str, value: str) -> bytes | None:
        return self._sealer.seal(value.encode(), name=f"{ident}/{column}") if value else None

    def _opened(self, ident: str, column: str, sealed: bytes | None) -> str:
        if sealed is None:
            return ""
        return self._sealer.open_sealed(bytes(sealed), name=f"{ident}/{column}").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The right to renew the tokens of one workspace, for a minute."""

    id: str
    tokens: Tokens
    until: datetime


_COLUMNS = (
    "id, name, app, bot_user, scopes, installed_by, installed_at,"
    " bot_token, refresh_token, expires_at, removed_at, trouble"
)
_SAVE = (
    f"INSERT INTO installation ({_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608  our own names
    " ON CONFLICT (id) DO UPDATE SET renewing_until = NULL, "
    + ", ".join(f"{one} = excluded.{one}" for one in _COLUMNS.split(", ")[1:])
)
