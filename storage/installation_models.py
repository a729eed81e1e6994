"""The rows of who installed the app, in the database of a host that serves many workspaces.

They stand in every database, as all tables do, and are used in that of the host alone. Tokens
lie sealed; of a state only its digest is kept.
"""

from datetime import datetime

from storage.base import Base, Mapped, mapped_column


class InstallationRecord(Base):
    """The app in one workspace, or in an organisation as a whole. Without tokens it is removed."""

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    app: Mapped[str]
    bot_user: Mapped[str]
    scopes: Mapped[str]
    installed_by: Mapped[str]
    installed_at: Mapped[datetime]
    bot_token: Mapped[bytes | None]
    refresh_token: Mapped[bytes | None]
    expires_at: Mapped[datetime | None]
    renewing_until: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    trouble: Mapped[str]


class OAuthStateRecord(Base):
    """An installation that has begun in somebody's browser, until it is finished or too late."""

    __tablename__ = "oauth_state"

    digest: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
