"""Carries out an order of the command line: by the process that serves, or by this one.

While a process serves this home, the order is handed to it. Otherwise this one commits by
itself. On SQLite it takes the right to serve for that moment, so that no file is written by
two; on Postgres the server keeps writers apart.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from bot.access_orders import AccessOrder
from bot.core import Means, NobodyReadable, build_core, read_redactor
from bot.directory import Directory
from bot.export_orders import ProofOrder
from bot.head_check import check_head, witness_of
from bot.holder import hand_over
from bot.key_orders import KeyDesk, KeyOrder
from bot.library import POLICY
from bot.logs import remark_on_terminal
from bot.opening import Memory, is_untouched, open_memory
from bot.orders import (
    AnyOrder,
    CancelOrder,
    DigestOrder,
    HeadOrder,
    MoveRunOrder,
    RunOrder,
    SettleOrder,
    carry_out,
)
from bot.org_client import slack_of
from bot.publish_orders import ActivateOrder, PublishOrder, RetireOrder
from bot.references import references_of
from bot.schedule_orders import ChangeScheduleOrder, ScheduleOrder
from bot.secret_orders import ListSecretsOrder
from bot.settings import Settings, require_one
from bot.slack_client import SlackClient
from bot.slack_errors import SlackError
from bot.token_orders import TokenOrder
from bot.unix_socket import person_of
from storage.gauges import is_worked_on
from storage.lock_file import ServeLock
from storage.published import active_policy
from workflows.entry import Json
from workflows.errors import (
    HeldElsewhereError,
    InterlockError,
    PeopleUnreadableError,
    UnusableDatabaseError,
)
from workflows.people import People
from workflows.references import NoReferences, References

NEED_PEOPLE = (
    RunOrder,
    CancelOrder,
    SettleOrder,
    MoveRunOrder,
    ScheduleOrder,
    ChangeScheduleOrder,
    TokenOrder,
    AccessOrder,
    PublishOrder,
    ActivateOrder,
    RetireOrder,
)
PRINT = (HeadOrder, ProofOrder, ListSecretsOrder)  # What is there already; nothing is recorded.
PATIENCE = 10.0
TURN = 0.05

log = logging.getLogger(__name__)


def have_done(
    settings: Settings,
    order: AnyOrder,
    *,
    user: int,
    begun: Callable[[Memory], None] = lambda _memory: None,
) -> Mapping[str, Json]:
    """Return the answer to `order`, given in the name of this machine's user `user`.

    A run in an empty home begins a log; `begun` is told of it before anything can go wrong.

    Raises:
        InterlockError: it is refused, by the serving process or by this one.
    """
    require_one(settings)
    _refuse_to_begin(settings, order)
    with ExitStack() as stack:
        answer = _hand_over_or_lock(settings, order, stack)
        if answer is not None:
            return {**answer, "served": True}
        means = Means()
        redact = read_redactor(settings, means)
        remark_on_terminal(redact)
        memory = open_memory(settings)
        stack.callback(memory.database.close)
        if memory.is_new:
            begun(memory)
        if _only_records(order):
            _refuse_restored(settings, memory)
        if isinstance(order, KeyOrder):
            # A machine that only works for others has keys, and may have nothing else.
            desk = KeyDesk(memory=memory, settings=settings)
            return {**desk.carry_out(order, person=person_of(user)), "served": False}
        people, references = _known_to_slack(settings, order, memory)
        core = build_core(
            settings,
            memory,
            people=people,
            references=references,
            means=means,
            redact=redact,
            # On Postgres this may be the machine of a worker, with older files or none.
            publishes=settings.is_sqlite or active_policy(memory.database, POLICY) is None,
        )
        told = carry_out(core, order, person=person_of(user))
        return {**told, "served": is_worked_on(memory.database)}


def _refuse_to_begin(settings: Settings, order: AnyOrder) -> None:
    """Refuse what an empty home has no use for: a log is begun for a run alone, of what there is.

    Raises:
        UnusableDatabaseError: there is no log, and none is begun for this.
        UnknownWorkflowError: no file has that workflow; the nearest is suggested.
        SettingsError: it is that of a workspace in which the app is not installed.
    """
    if not is_untouched(settings):
        return
    if settings.workspace:
        _with_token(settings)  # A log that a mistyped id began would be nobody's.
    if not isinstance(order, RunOrder):
        raise UnusableDatabaseError(
            f"There is no log in {settings.memory} yet.", hint="Begin one with `interlock init`."
        )
    from workflows.catalog import Catalog  # noqa: PLC0415 - an order handed over needs none.

    Catalog.read([settings.definitions]).find(order.workflow)


def _hand_over_or_lock(
    settings: Settings, order: AnyOrder, stack: ExitStack
) -> Mapping[str, Json] | None:
    """Return the serving process's answer, or None once this one may write.

    Another command keeps the right to write for a moment, and a bot that is starting has it
    before it listens; both are waited for.
    """
    end = time.monotonic() + PATIENCE
    while True:
        answer = hand_over(settings.home, order)
        if answer is not None or not settings.is_sqlite:
            return answer
        try:
            stack.enter_context(ServeLock.take(settings.home, now=datetime.now(UTC)))
        except HeldElsewhereError:
            if time.monotonic() > end:
                raise
            time.sleep(TURN)
        else:
            return None


def _known_to_slack(
    settings: Settings, order: AnyOrder, memory: Memory
) -> tuple[People, References]:
    """Return who is who, once Slack showed nothing that this log has forgotten.

    Raises:
        PeopleUnreadableError: Slack does not answer, or refuses the token.
        UnusableDatabaseError: the database is a restored copy, of which nothing may go on.
    """
    # The others need nobody, so they also work while Slack is away.
    found = _slack(settings) if isinstance(order, NEED_PEOPLE) else None
    if found is None:
        return NobodyReadable(), NoReferences()
    client, directory, user = found
    # Where it cannot be read, the bot that serves later makes sure before any effect.
    check_head(memory.database, witness_of(client, settings, user=user))
    return directory, references_of(client, directory)


def _only_records(order: AnyOrder) -> bool:
    """Say whether an order records something and needs nobody whom only Slack knows."""
    is_look = isinstance(order, PRINT) or (isinstance(order, DigestOrder) and not order.post)
    return not is_look and not isinstance(order, NEED_PEOPLE)


def _refuse_restored(settings: Settings, memory: Memory) -> None:
    """Return unless Slack shows that this log has forgotten something; it need not answer.

    An entry too many on a restored copy, and there are two histories under one key.

    Raises:
        UnusableDatabaseError: the database is a restored copy, of which nothing may go on.
    """
    try:
        client = _client(settings)
        user = "" if client is None else str(client.identity().get("user_id", ""))
    except (SlackError, InterlockError) as error:
        why = error.code if isinstance(error, SlackError) else error.message
        log.warning("the head was not compared with Slack", extra={"error": why})
        return
    if client is not None:
        check_head(memory.database, witness_of(client, settings, user=user))


def slack_people(settings: Settings) -> Directory | None:
    """Return the people of the workspace, None for a process without its token.

    Raises:
        PeopleUnreadableError: Slack does not answer, or refuses the token.
    """
    found = _slack(settings)
    return None if found is None else found[1]


def workspace_url(settings: Settings) -> str | None:
    """Return the address of the workspace, None where Slack cannot say it."""
    client = _client(settings)
    try:
        return None if client is None else str(client.identity()["url"])
    except SlackError:
        return None


def _client(settings: Settings) -> SlackClient | None:
    if settings.workspace:
        settings = _with_token(settings)
    return None if settings.bot_token is None else slack_of(settings)


def _with_token(settings: Settings) -> Settings:
    from bot.workspaces.beside import with_token  # noqa: PLC0415 - only a host has it.

    return with_token(settings)


def _slack(settings: Settings) -> tuple[SlackClient, Directory, str] | None:
    client = _client(settings)
    if client is None:
        return None
    try:
        whose = client.identity()
        team = settings.workspace or str(whose["team_id"])
        return client, Directory(client, team=team), str(whose.get("user_id", ""))
    except SlackError as error:
        raise PeopleUnreadableError(f"Slack cannot be asked ({error.code}).") from error
