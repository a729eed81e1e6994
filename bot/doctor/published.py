"""Whether people agree to files before they count, and whether these say what is in force."""

from collections.abc import Iterator

from bot.doctor.around import Around
from bot.doctor.findings import Finding, ok, refused, warn
from bot.policy_in_force import gating, ruling_of
from bot.settings import SettingsError
from storage.database import Database
from storage.gauges import is_worked_on
from storage.lock_file import ServeLock
from storage.published import active_versions
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check
from workflows.errors import DefinitionError
from workflows.loading import load_policy

CHECK, GATE = "in force", "publications"
AT_START = "Nobody serves; what the files say is published at the next start."
AT_START_GATED = (
    "Nobody serves; the policy file counts at the next start, and workflow files once people agreed"
    " to them: `interlock publish`."
)
START = "Start `interlock serve` again, if the files are what you mean."
PROPOSE = (
    "Put them to people with `interlock publish`, and the policy with `interlock publish --policy`,"
    " if the files are what you mean."
)


def look_at_published(around: Around, database: Database) -> Iterator[Finding]:
    """Yield who decides about files, and what they say otherwise than the log.

    Faults in files are told elsewhere.
    """
    try:
        is_gated = gating(database) is not None
    except SettingsError as refusal:
        yield refused(CHECK, refusal, costs="The bot does not start.")
        return
    is_meant = is_gated or _is_meant(around)
    yield _gate(is_gated=is_gated, is_meant=is_meant)
    is_served = ServeLock.is_held(around.settings.home) or is_worked_on(database)
    if not is_gated and not is_served:
        yield ok(CHECK, AT_START_GATED if is_meant else AT_START)
        return
    others = sorted(_differing(around, database))
    if not others:
        yield ok(CHECK, "What the files say is in force.")
        return
    yield warn(
        CHECK,
        f"The files say something else than what is in force: {', '.join(others)}.",
        costs="Runs go by what is in force.",
        do=PROPOSE if is_gated else START,
    )


def _is_meant(around: Around) -> bool:
    """Say whether the policy file wants people to agree; its faults are told elsewhere."""
    try:
        return load_policy(around.settings.policy_file).publish is not None
    except DefinitionError:
        return False


def _gate(*, is_gated: bool, is_meant: bool) -> Finding:
    if is_gated:
        return ok(GATE, "People agree before a changed file counts.")
    if is_meant:
        return ok(GATE, "From the next start on people agree before a changed file counts.")
    return warn(
        GATE,
        "What the files say counts at the next start, and nobody is asked.",
        costs="Whoever may write there decides alone what runs, and who has to agree to it.",
        do="Have the policy say `publish: {}`, and `operators`; docs/catalog says how.",
    )


def _differing(around: Around, database: Database) -> Iterator[str]:
    settings = around.settings
    try:
        ruling = ruling_of(settings, database)
    except DefinitionError:
        return
    if ruling.differs:
        yield "the policy"
    policy = ruling.policy
    if not settings.definitions.is_dir():
        return
    actions = all_actions(policy.targets, DatabaseRows(now=around.now))
    active = active_versions(database)
    for one in check([settings.definitions], actions, policy).definitions:
        if active.get(one.workflow) != one.version:
            yield one.workflow
