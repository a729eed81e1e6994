"""Makes up for levels that a process of the release before did not write.

That one made versions active without a word in `version_level`; the entries it appended say
their level all the same.
"""

from sqlalchemy import Connection, and_, or_, select

from storage.audit_models import IS_OUTSIDE_RUNS, AuditEntryRow, LineMember
from storage.bot_sql import BotSql
from storage.catalog_history import ACTIVATED, LEVELS
from storage.change import RowSql
from storage.history import COLUMNS, entries_of
from storage.role_projections import level_set
from storage.run_models import ActiveDefinitionRecord, DefinitionRecord, VersionLevelRecord
from storage.transaction import Database
from workflows.entry import Entry


def heal_levels(database: Database) -> int:
    """Bring the levels of versions up to their entries; return how many workflows needed it.

    Each transaction is short and holds the workflow, as every activation does.
    """
    with database.read() as connection:
        astray = _astray(connection)
    for workflow in astray:
        with database.begin() as tx:
            BotSql(tx).hold_workflow(workflow)
            newest = {one.data["version"]: one for one in _told(tx.connection, workflow)}
            for entry in newest.values():
                level = entry.data["level" if entry.kind == ACTIVATED else "to"]
                RowSql(tx).apply(level_set(entry, level))
    return len(astray)


def _astray(connection: Connection) -> list[str]:
    """Return the workflows of versions that were made active later than their level says."""
    row, active, level = DefinitionRecord, ActiveDefinitionRecord, VersionLevelRecord
    older = and_(active.version == row.version, level.changed_at < active.activated_at)
    wanted = (
        select(row.version)
        .outerjoin(level, level.version == row.version)
        .outerjoin(active, active.workflow == row.workflow)
        .where(or_(level.version.is_(None), older))
    )
    found = set(connection.execute(wanted).scalars())
    if not found:
        return []
    # Most of what has no level was only proposed: one look says which was active.
    version = LineMember("data", "version")
    activated = select(version.label("version"), AuditEntryRow.workflow).where(
        AuditEntryRow.run_id.is_(None), AuditEntryRow.kind == ACTIVATED
    )
    rows = connection.execute(activated)
    return sorted({str(one.workflow) for one in rows if one.version in found})


def _told(connection: Connection, workflow: str) -> list[Entry]:
    wanted = (
        select(*COLUMNS)
        .where(
            IS_OUTSIDE_RUNS,
            AuditEntryRow.kind.in_((ACTIVATED, LEVELS)),
            AuditEntryRow.workflow == workflow,
        )
        .order_by(AuditEntryRow.seq)
    )
    return entries_of(connection, connection.execute(wanted).all())
