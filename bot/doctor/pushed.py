"""Whether the system that watches takes the entries that are pushed to it, where one is set."""

from collections.abc import Iterator
from datetime import timedelta

from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, warn
from bot.push_target import push_of
from bot.wording import duration
from storage.database import Database
from storage.pushing import PushRows

COSTS = "Whoever watches there sees nothing of what happens here."
SHORT = "Whoever watches there sees that it happened, when and by whom, and no more."
LARGER = "Have that system take larger requests; an entry needs up to 64 KiB there."
LATE = timedelta(minutes=10)


def look_at_push(around: Around, database: Database) -> Iterator[Finding]:
    """Yield how far its target has taken the log; nothing where nothing is to be pushed."""
    wanted = push_of(around.settings)
    if wanted is None:
        return
    state = PushRows(database, wanted.name, name="").state()
    saw = f"{state.target} has taken {state.next_idx} of {state.size} entries"
    if state.failing_since is not None:
        since = duration(max(around.now() - state.failing_since, timedelta(0)))
        yield fail(
            "push",
            f"{saw}, from entry #{state.next_idx} on none for {since}: {state.trouble}.",
            costs=COSTS,
            do="Put that right there; the bot tries again by itself within five minutes,"
            " or after what the target asked for.",
        )
    elif state.behind and (state.sent_at is None or around.now() - state.sent_at > LATE):
        do = "See that `interlock serve` runs, and with the same INTERLOCK_PUSH_URL."
        yield warn("push", f"{saw}, and nobody pushes now.", costs=COSTS, do=do)
    elif state.trouble:
        yield warn("push", f"{saw}; {state.trouble}.", costs=SHORT, do=LARGER)
    else:
        yield ok("push", f"{saw}.")
