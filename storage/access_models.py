"""The rows of roles and of tokens, from outside and to outside, and the key of what lies sealed.

What a token may do is projected from the entries that tell of its making and its end; when it
was last used is operational, and losing it costs nothing but that line in a list.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint

from storage.base import Base, Mapped, mapped_column


class RoleBindingRecord(Base):
    """One role of one group or person, as the policy bound it last. All of it is projected."""

    __tablename__ = "role_binding"

    role: Mapped[str] = mapped_column(primary_key=True)
    bound_to: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiTokenRecord(Base):
    """One token. A name stands for one token for ever, so that `source` in a run names it."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("digest"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    # Projected.
    digest: Mapped[str]
    owner: Mapped[str]
    workflows: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # Operational.
    last_used_at: Mapped[datetime | None]


class StepTokenRecord(Base):
    """The token that Slack gave for one execution of a Workflow Builder step, sealed.

    Operational: without it the step is completed under the bot's own token.
    """

    __tablename__ = "step_token"

    execution: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    made_at: Mapped[datetime]


class SealingKeyRecord(Base):
    """The one key that seals values of this database, wrapped by the home's master key."""

    __tablename__ = "sealing_key"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]
    previous: Mapped[bytes | None]
