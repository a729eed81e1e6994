"""Which definitions and policies were published here, read back from their rows.

Publishing itself is a unit's work: it appends the entry from which these rows follow.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from storage.access_models import RoleBindingRecord
from storage.run_models import (
    ActiveDefinitionRecord,
    ActivePolicyRecord,
    DefinitionRecord,
    PolicyRecord,
)
from storage.transaction import Database
from workflows.entry import PERSON, Ref
from workflows.policy_roles import Binding, Role


def canonical_of(database: Database, version: str) -> str | None:
    """Return the text of a published version, None if it was never published here."""
    wanted = select(DefinitionRecord.canonical).where(DefinitionRecord.version == version)
    with database.read() as connection:
        return connection.execute(wanted).scalar()


def was_published(database: Database, version: str) -> bool:
    """Say whether a version was published here."""
    wanted = select(DefinitionRecord.version).where(DefinitionRecord.version == version)
    with database.read() as connection:
        return connection.execute(wanted).scalar() is not None


def active_versions(database: Database, workflow: str = "") -> Mapping[str, str]:
    """Return the version that new runs take, by workflow; of one workflow, if it is named."""
    wanted = (
        select(ActiveDefinitionRecord.workflow, ActiveDefinitionRecord.version)
        .where(ActiveDefinitionRecord.retired_at.is_(None))
        .order_by(ActiveDefinitionRecord.workflow)
    )
    if workflow:
        wanted = wanted.where(ActiveDefinitionRecord.workflow == workflow)
    with database.read() as connection:
        return {row.workflow: row.version for row in connection.execute(wanted)}


def active_version(database: Database, workflow: str) -> str | None:
    """Return the version of one workflow that new runs take, None where it has none."""
    return active_versions(database, workflow).get(workflow)


def last_version(database: Database, workflow: str) -> str | None:
    """Return the version that was active last, also of a workflow that was retired since."""
    row = ActiveDefinitionRecord
    with database.read() as connection:
        return connection.execute(select(row.version).where(row.workflow == workflow)).scalar()


def versions_of(database: Database, workflow: str, start: str = "") -> list[str]:
    """Return the published versions of a workflow whose digest begins so, the newest first."""
    wanted = (
        select(DefinitionRecord.version)
        .where(
            DefinitionRecord.workflow == workflow,
            DefinitionRecord.version.startswith(start, autoescape=True),
        )
        .order_by(DefinitionRecord.published_at.desc(), DefinitionRecord.version)
    )
    with database.read() as connection:
        return list(connection.execute(wanted).scalars())


def active_policy(database: Database, name: str) -> str | None:
    """Return the digest of the policy that the trail was last told of."""
    wanted = select(ActivePolicyRecord.version).where(ActivePolicyRecord.name == name)
    with database.read() as connection:
        return connection.execute(wanted).scalar()


def policy_since(database: Database, name: str) -> datetime | None:
    """Return when the trail was last told of a policy, None where it never was."""
    wanted = select(ActivePolicyRecord.changed_at).where(ActivePolicyRecord.name == name)
    with database.read() as connection:
        return connection.execute(wanted).scalar()


def bound_roles(connection: Connection) -> frozenset[Binding]:
    """Return every role that is bound now, and to whom."""
    row = RoleBindingRecord
    wanted = select(row.role, row.bound_to, row.scope).where(row.revoked_at.is_(None))
    return frozenset(
        Binding(role=Role(one.role), to=one.bound_to, scope=one.scope)
        for one in connection.execute(wanted.order_by(row.role, row.bound_to, row.scope))
    )


def policy_text(database: Database, version: str) -> str | None:
    """Return the text of a policy that was kept, None where it was not."""
    wanted = select(PolicyRecord.canonical).where(PolicyRecord.version == version)
    with database.read() as connection:
        return connection.execute(wanted).scalar()


def publisher_of(database: Database, version: str) -> Ref | None:
    """Return the person who published a version, None where it came from a file on disk."""
    wanted = select(DefinitionRecord.published_by).where(DefinitionRecord.version == version)
    with database.read() as connection:
        found = connection.execute(wanted).scalar()
    return Ref(found) if found is not None and found.startswith(PERSON) else None


def known_workflows(database: Database) -> frozenset[str]:
    """Return the name of every workflow that was ever active here, retired ones too."""
    with database.read() as connection:
        return frozenset(connection.execute(select(ActiveDefinitionRecord.workflow)).scalars())
