"""The rows of secrets that are kept here, and of when any secret was last used."""

from datetime import datetime

from storage.base import Base, Mapped, mapped_column


class SecretRecord(Base):
    """One secret. Its versions are counted for ever, so that `secret.used` names one value."""

    __tablename__ = "secret"

    name: Mapped[str] = mapped_column(primary_key=True)
    # Projected.
    version: Mapped[int]
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    rotated_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    # Operational: losing it means to set the secret again.
    sealed: Mapped[bytes | None]


class SecretUseRecord(Base):
    """When a secret was last used, whatever it comes from. Operational: a line in a list."""

    __tablename__ = "secret_use"

    name: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]
