"""What lists and commands say of workflows beside their names: how they stand and how runs went.

Read without locks, for `/ops workflows` and for the command line alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.drift import Drift
from bot.wording import Who, who_of
from storage.catalog_figures import GoingOn, Went, going_on, levels, went
from storage.listing import people_of
from storage.published import active_version, active_versions, versions_of
from storage.transaction import Database
from workflows.errors import UnknownWorkflowError
from workflows.policy_roles import EVERYWHERE
from workflows.roles import Sight

MONTH = timedelta(days=30)
MOST_NAMED = 5
EVERY_WORKFLOW = Sight(frozenset({EVERYWHERE}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Runs of one version that go on; `asked` names a few of those who asked for them."""

    version: str
    runs: int
    asked: tuple[Who, ...]
    is_active: bool

    @property
    def data(self) -> dict[str, object]:
        """Return it as data."""
        asked = [one.plain for one in self.asked]
        return {"version": self.version, "runs": self.runs, "asked_by": asked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one workflow stands."""

    level: str
    went: Went
    drifted: tuple[str, ...]
    going: tuple[Going, ...]


UNKNOWN = Standing(level="", went=Went(), drifted=(), going=())


def standings(
    database: Database,
    drifts: Sequence[Drift],
    *,
    now: datetime,
    sight: Sight = EVERY_WORKFLOW,
) -> Mapping[str, Standing]:
    """Return how every active workflow stands; what drifted before it changed is over.

    What drifted names no workflow beyond `sight`.
    """
    since, nothing = went(database, since=now - MONTH), Went()
    active, going = active_versions(database), going_on(database, named=MOST_NAMED)
    known = _named(database, [one for some in going.values() for one in some])
    return {
        name: Standing(
            level=level,
            went=since.get(name, nothing),
            drifted=tuple(
                one.shown_to(sight).words
                for one in drifts
                if one.workflow == name and one.active == active.get(name)
            ),
            going=tuple(
                Going(
                    version=one.version,
                    runs=one.runs,
                    asked=tuple(known[ref] for ref in one.requesters if ref in known),
                    is_active=one.version == active.get(name),
                )
                for one in going.get(name, ())
            ),
        )
        for name, level in levels(database).items()
    }


def _named(database: Database, going: Sequence[GoingOn]) -> Mapping[str, Who]:
    refs = sorted({ref for one in going for ref in one.requesters})
    return {ref: who_of(*one) for ref, one in people_of(database, refs).items()}


def known_version(database: Database, workflow: str, start: str = "") -> str:
    """Return the version whose digest begins so; without a beginning, the active one.

    Raises:
        UnknownWorkflowError: there is none, or more than one.
    """
    if not start:
        found = active_version(database, workflow)
        if found is not None:
            return found
        raise UnknownWorkflowError(f"{workflow} has no active version.")
    versions = versions_of(database, workflow, start)
    if len(versions) != 1:
        count = "No version" if not versions else "More than one version"
        raise UnknownWorkflowError(
            f"{count} of {workflow} begins with {start}.",
            hint=f"See `interlock history {workflow}`.",
        )
    return versions[0]
