"""The parts that every long-lived process has, whether it serves or works: clock, sequencing."""

from bot.clock import Clock
from bot.core import Core
from bot.running import Part
from bot.schedules import Standing
from bot.segments import Sequencing
from bot.timetable import Schedule, Timetable
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
    return Clock(core.store, core.engine.handle_due, timetable, now=core.means.clock)


def sequencing_of(core: Core) -> list[Part]:
    """Return what places entries, where a commit does not do so itself."""
    return [] if core.settings.is_sqlite else [Sequencing(core)]
