"""The parts of every long-lived process, whether it serves or works: clock, sequencing, watch."""

from bot.clock import Clock
from bot.core import Core
from bot.head_watch import HeadWatch
from bot.push_target import push_of
from bot.pushing import Pushing
from bot.running import Part
from bot.schedules import Standing
from bot.segments import Sequencing
from bot.timetable import Schedule, Timetable
from storage.pushing import PushRows
from workflows.people import People


def clock_of(core: Core, people: People) -> Clock:
    """Return the clock of this process. Of several, each moment is taken by one."""
    standing = Standing(
        store=core.store,
        engine=core.engine,
        people=people,
        definitions=core.library.definitions,
        channel=core.settings.channel,
    )

    def schedules() -> list[Schedule]:
        if not core.settings.is_sqlite:
            core.library.follow()  # Another process may have published since.
        found = standing.to_fire()
        # Without a channel there is nobody to tell.
        return [*found, core.digests.schedule()] if core.settings.channel else found

    timetable = Timetable(core.store, schedules, born=core.means.clock())
    store = core.store
    return Clock(
        store,
        core.engine.handle_due,
        timetable,
        now=core.means.clock,
        forget=lambda before: store.forget_deliveries(seen_before=before),
    )


def sequencing_of(core: Core) -> list[Part]:
    """Return what places entries, where a commit does not do so itself."""
    return [] if core.settings.is_sqlite else [Sequencing(core)]


def watching_of(core: Core, watch: HeadWatch | None) -> list[Part]:
    """Return what goes on comparing the log with Slack, where it could not be done yet."""
    if watch is None:
        return []
    watch.tells(core.store, key=core.means.new_id())
    return [watch]


def pushing_of(core: Core) -> list[Part]:
    """Return what pushes entries to a system that watches, if the settings name one.

    Raises:
        SettingsError: its token would be sent in the clear.
    """
    push = push_of(core.settings)
    if push is None:
        return []
    rows = PushRows(core.memory.database, push.name, name=core.name)
    return [Pushing(rows, push, now=core.means.clock)]
