"""The parts of every long-lived process, whether it serves or works: clock, sequencing, watch."""

from datetime import datetime, timedelta

from bot.catalog_watch import CatalogWatch, Watching
from bot.clock import Clock
from bot.core import Core
from bot.drift import Drift, drifts, policy_drift
from bot.head_watch import HeadWatch
from bot.running import Part
from bot.schedules import Standing
from bot.segments import Sequencing
from bot.self_check import SelfCheck, Watched
from bot.sweeping import Sweeping
from bot.timetable import Schedule, Timetable
from storage.heads import first_vkeys
from storage.history import newest_before
from storage.request_ends import end_in_time
from workflows.definition import Definition
from workflows.people import People

STARTING = timedelta(minutes=1)  # What is as young may be of this very start.


def catalog_watch_of(core: Core, people: People) -> CatalogWatch:
    """Return what compares what is active with what is here, and has it told of starts."""
    watching = Watching(
        drifts=lambda afresh: drifts_of(core, afresh=afresh),
        used=lambda: _used(core),
        refuse=lambda drift: _refuse(core, drift),
        definitions=core.library.definitions,
        files=lambda: core.library.files,
        people=people,
        governors=core.policy.governors,
        channel=core.settings.channel,
    )
    watch = CatalogWatch(core.store, watching)
    core.library.on_use(watch.note)
    core.digests.tells_of_catalog(watch.findings)
    return watch


def _used(core: Core) -> list[Drift]:
    from bot.bespoke import bespoke  # noqa: PLC0415 - once a day.

    return bespoke(core.memory.database, core.library.definitions(), now=core.means.clock())


def _refuse(core: Core, drift: Drift) -> None:
    """Record that the policy file counts for nothing, where people are to agree to it first."""
    if core.policy.publish is None:
        return
    from bot.refused_proposals import note_policy_file  # noqa: PLC0415 - hardly ever.

    note_policy_file(core.store, drift)


def drifts_of(core: Core, *, afresh: bool = True) -> list[Drift]:
    """Return all that has drifted; where no files were read, nothing is said of files.

    Files are read `afresh`, or are those that were read when the process began.
    """

    def read(version: str, _stored: str) -> Definition:
        return core.library.version(version)

    database, settings, files = core.memory.database, core.settings, core.library.of_files
    found: list[Drift] = []
    if files is not None:
        files = core.files.read(settings.definitions) if afresh else files
        found += policy_drift(database, lambda: core.files.policy_as_written(settings.policy_file))
    return [*found, *drifts(database, core.actions, files, read=read)]


def clock_of(core: Core, people: People, check: SelfCheck, watch: CatalogWatch) -> Clock:
    """Return the clock of this process. Of several, each moment is taken by one."""
    standing = Standing(
        store=core.store,
        engine=core.engine,
        people=people,
        definitions=core.library.definitions,
        version=core.library.version,
        is_destructive=core.library.is_destructive,
        channel=core.settings.channel,
    )

    sweeps = Sweeping(core.store, core.policy, now=core.means.clock).schedule(core.memory.log_id)

    compared = watch.schedule(core.memory.log_id)

    def schedules() -> list[Schedule]:
        if not core.settings.is_sqlite:
            core.library.follow()  # Another process may have published since.
        found = [*standing.to_fire(), *check.schedules(), sweeps, compared]
        # Without a channel or a mail address there is nobody to tell.
        if core.settings.channel or core.settings.digest_mail:
            found.append(core.digests.schedule())
        if core.settings.channel:
            found.append(core.heads.schedule(core.memory.log_id))
        return found

    timetable = Timetable(core.store, schedules, born=_last_seen(core))
    store = core.store
    return Clock(
        store,
        core.engine.handle_due,
        timetable,
        now=core.means.clock,
        forget=lambda before: store.forget_deliveries(seen_before=before),
        end_in_time=lambda clock: end_in_time(store.database, clock),
    )


def _last_seen(core: Core) -> datetime:
    """Return when the log was last written before this process began; now for a new one.

    What the bot does by itself and never did here counts from then on: one that is shut down each
    night would else begin anew each morning, and never come to what is due at night.
    """
    now = core.means.clock()
    with core.memory.database.read() as connection:
        return newest_before(connection, now - STARTING) or now


def self_check_of(core: Core) -> SelfCheck:
    """Return what verifies the log at night, under the keys that it begins with now."""
    with core.memory.database.read() as connection:
        first = [str(one) for one in first_vkeys(connection)]
    watched = Watched(
        database=core.settings.database_url,
        log_id=core.memory.log_id,
        vkeys=first,
        channel=core.settings.channel,
    )
    return SelfCheck(core.store, watched, ticks=core.means.ticks)


def sequencing_of(core: Core) -> list[Part]:
    """Return what places entries, where a commit does not do so itself."""
    return [] if core.settings.is_sqlite else [Sequencing(core)]


def watching_of(core: Core, watch: HeadWatch | None) -> list[Part]:
    """Return what goes on comparing the log with Slack, where it could not be done yet."""
    if watch is None:
        return []
    watch.tells(core.store, key=core.means.new_id())
    return [watch]


def retelling_of(core: Core) -> list[Part]:
    """Return what has stories told by a language model, if the settings want that."""
    if not core.settings.tells_stories:
        return []
    from bot.model_stories import ModelStories  # noqa: PLC0415 - only where there is a model.
    from bot.retelling import Retelling  # noqa: PLC0415 - as above.

    return [Retelling(core.engine, ModelStories(desk=core.desk, store=core.store), core.retold)]


def mailing_of(core: Core) -> list[Part]:
    """Return what mails digests, if the settings say to whom."""
    settings = core.settings
    if not settings.digest_mail:
        return []
    from bot.anchors.parts import mail_server  # noqa: PLC0415 - only where it is set.
    from bot.digest_mail import DigestMail  # noqa: PLC0415 - as above.
    from bot.mailing import Mailing  # noqa: PLC0415 - as above.

    sender, recipients = settings.smtp_from, settings.digest_mail
    mail = DigestMail(server=mail_server(settings), sender=sender, recipients=recipients)
    return [
        Mailing(
            core.store,
            core.digests,
            mail,
            log_id=core.memory.log_id,
            channel=settings.channel,
            now=core.means.clock,
        )
    ]


def pushing_of(core: Core) -> list[Part]:
    """Return what pushes entries to a system that watches, if the settings name one.

    Raises:
        SettingsError: its token would be sent in the clear.
    """
    if not core.settings.push_url:
        return []
    from bot.push_target import push_of  # noqa: PLC0415 - only where it is set.
    from bot.pushing import Pushing  # noqa: PLC0415 - as above.
    from storage.pushing import PushRows  # noqa: PLC0415 - as above.

    push = push_of(core.settings)
    if push is None:
        return []
    rows = PushRows(core.memory.database, push.name, name=core.name)
    return [Pushing(rows, push, now=core.means.clock)]
