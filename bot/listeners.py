"""Binds what Slack delivers to what the product does, and answers refusals privately.

Every listener reads the payload, calls one function, and acknowledges last: whatever it
changes is committed by then, and an acknowledgement never precedes a failure. Both ways of
receiving use the same listeners.
"""

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltRequest

from bot.batch_listeners import batch_clicks, batch_forms
from bot.builder_steps import REQUEST_APPROVAL, BuilderSteps
from bot.changing import Changing
from bot.deciding import Deciding
from bot.desk import Desk
from bot.form_choices import SEARCH
from bot.handlers import Handlers
from bot.home_clicks import HomeClicks
from bot.payloads import (
    Interaction,
    Shortcut,
    read_event,
    read_interaction,
    read_shortcut,
    read_typed,
    thread_to_answer,
)
from bot.permitted import naming
from bot.refusals import from_older_version, refusal
from bot.refused_forms import refused_form
from bot.secret_words import secret_faults
from bot.settling import Settling
from bot.stepping_up import SteppingUp
from bot.views import (
    app_home,
    change_form,
    codes,
    delegations,
    doubt_card,
    exception_card,
    glass_modals,
    home_settings,
    message_shortcuts,
    paging,
    question_card,
    request_card,
    request_limits,
    request_modals,
    review_card,
    run_form,
    schedules,
    thread_summary,
)
from bot.views.notice import notice
from bot.views.pieces import MEANT, MOVE, MOVE_FORM, OPEN_LINK
from bot.views.request_modals import refused_modal
from workflows.actions.base import Happened
from workflows.errors import InterlockError
from workflows.glass import Finding
from workflows.schedule import ScheduleState

Body = dict[str, Any]
Answer = Mapping[str, Any]
OnShortcut = Callable[[Shortcut, Mapping[str, Any]], None]
OnForm = Callable[[Interaction, Mapping[str, Any]], Answer]

RETRY_NUMBER, LAST_RETRY = "x-slack-retry-num", 3  # Slack delivers an event four times in all.
OPENED = "summary_view"  # Where Bolt's context keeps the modal that a summary will stand in.
ANYTHING = re.compile(r".*")

log = logging.getLogger(__name__)


def register_listeners(
    app: App, desk: Desk, steps: BuilderSteps, *, new_id: Callable[[], str]
) -> None:
    """Make `app` listen to everything the manifest asks for."""
    on = Handlers(desk)
    _register_command(app, desk, on)
    _register_cards(app, desk, on)
    _register_schedules(app, desk, on)
    _register_home(app, desk)
    _register_delegations(app, desk, on)
    _register_codes(app, desk)
    _register_forms(app, desk, on)
    _register_shortcuts(app, desk, on)
    _register_events(app, desk, on)
    _register_steps(app, steps)
    _register_rest(app, desk)
    app.error(_defects(desk, new_id))


def _register_command(app: App, desk: Desk, on: Handlers) -> None:
    def on_command(ack: Ack, body: Body, context: Body) -> None:
        try:
            typed = read_typed(body)
            with naming(desk.roles, desk.library, typed.caller.person):
                shown = on.commands.reply(typed, context)
        except InterlockError as refused:
            shown = notice(refusal(refused))
        ack() if shown is None else ack(response_type="ephemeral", **shown.payload)

    def on_page(click: Interaction) -> None:
        shown = on.commands.page(click)
        desk.hurried.answer(click.response_url, shown, replace=True)

    def on_again(click: Interaction) -> None:
        desk.hurried.answer(click.response_url, on.starting.again(click), replace=True)

    def on_meant(ack: Ack, body: Body, context: Body) -> None:
        click = read_interaction(body)
        try:
            with naming(desk.roles, desk.library, click.caller.person):
                shown = on.commands.meant(click, context)
        except InterlockError as refused:
            shown = notice(refusal(refused))
        desk.hurried.answer(click.response_url, shown, replace=True)
        ack()

    def on_options(ack: Ack, body: Body) -> None:
        try:
            mine = on.starting.choices(read_interaction(body).caller.person)
        except InterlockError:
            mine = []  # Slack has no room for a reason here.
        found = run_form.picker_options(mine, str(body.get("value", "")))
        ack(options=[one.to_dict() for one in found])

    def on_search(ack: Ack, body: Body) -> None:
        found = on.suggesting.options(body, read_interaction(body))
        ack(options=[one.to_dict() for one in found])

    app.command(desk.command)(on_command)
    app.options(SEARCH)(on_search)
    app.action(MEANT)(on_meant)
    app.options(run_form.PICK_OPTIONS)(on_options)
    _on_click(app, desk, run_form.RUN_AGAIN, on_again)
    _on_click(app, desk, paging.PAGE_EARLIER, on_page)
    _on_click(app, desk, paging.PAGE_LATER, on_page)


def _register_cards(app: App, desk: Desk, on: Handlers) -> None:
    deciding, settling = Deciding(desk=desk), Settling(desk=desk)
    clicks: Mapping[str, Callable[[Interaction], None]] = {
        request_card.APPROVE: deciding.approve,
        request_card.REJECT: deciding.reject,
        request_card.REVIEW: deciding.review,
        request_card.CHANGE: Changing(desk=desk).open,
        request_modals.TURN_PAGE: deciding.turn_page,
        request_modals.TURN_BACK: deciding.turn_page,
        **batch_clicks(on),
        doubt_card.HAPPENED: lambda click: settling.doubt(click, Happened.YES),
        doubt_card.NOT_HAPPENED: lambda click: settling.doubt(click, Happened.NO),
        doubt_card.ABORT: lambda click: settling.doubt(click, Happened.UNKNOWN),
        question_card.ANSWER: on.answering.open,
        exception_card.RETRY: lambda click: settling.exception(click, "retry"),
        exception_card.SKIP: lambda click: settling.exception(click, "skip"),
        exception_card.ABORT: lambda click: settling.exception(click, "abort"),
        exception_card.UNDO: lambda click: settling.exception(click, "undo"),
        request_limits.BREAK_GLASS: on.breaking.ask_reason,
        review_card.RIGHT: lambda click: on.breaking.ask_comment(click, Finding.RIGHT),
        review_card.NOT_RIGHT: lambda click: on.breaking.ask_comment(click, Finding.NOT_RIGHT),
        MOVE: on.moving_runs.ask_reason,
        OPEN_LINK: lambda _click: None,
    }
    for action_id, handler in clicks.items():
        _on_click(app, desk, action_id, handler)


def _register_schedules(app: App, desk: Desk, on: Handlers) -> None:
    changes = {
        schedules.SCHEDULE_PAUSE: ScheduleState.PAUSED,
        schedules.SCHEDULE_RESUME: ScheduleState.ACTIVE,
        schedules.SCHEDULE_DELETE: ScheduleState.DELETED,
    }
    for action_id, to in changes.items():
        _on_click(app, desk, action_id, partial(on.scheduling.change, to=to))
    _on_click(app, desk, schedules.SCHEDULE_CONFIRM, on.scheduling.confirm)
    _on_click(app, desk, schedules.SCHEDULE_DROP, on.scheduling.drop)
    _on_form(app, desk, schedules.SCHEDULE_FORM, on.scheduling.by_form)
    _on_form(app, desk, schedules.SCHEDULE_CONFIRM_FORM, on.scheduling.confirm_form)


def _register_home(app: App, desk: Desk) -> None:
    homes = HomeClicks(desk=desk)

    def on_home(body: Body) -> None:
        homes.opened(read_event(body))

    app.event("app_home_opened")(on_home)
    _on_click(app, desk, app_home.HOME_MORE, homes.turn)
    _on_click(app, desk, app_home.HOME_BACK, homes.turn)
    _on_click(app, desk, app_home.HOME_SETTINGS, homes.settings)
    _on_form(app, desk, home_settings.HOME_SETTINGS_FORM, homes.choose)


def _register_delegations(app: App, desk: Desk, on: Handlers) -> None:
    _on_click(app, desk, delegations.DELEGATION_CONFIRM, on.delegating.confirm)
    _on_form(app, desk, delegations.DELEGATION_FORM, on.delegating.confirm_form)
    _on_click(app, desk, delegations.DELEGATION_DROP, on.delegating.drop)
    _on_click(app, desk, delegations.DELEGATION_END, on.delegating.end)


def _register_codes(app: App, desk: Desk) -> None:
    stepping_up = SteppingUp(desk=desk)
    _on_click(app, desk, codes.CODES_SET_UP, stepping_up.set_up)
    _on_click(app, desk, codes.CODES_CONFIRM, stepping_up.confirm)
    _on_click(app, desk, codes.CODES_DECLINE, stepping_up.decline)
    _on_form(app, desk, codes.CODES_FORM, stepping_up.prove)


def _register_forms(app: App, desk: Desk, on: Handlers) -> None:
    deciding = Deciding(desk=desk)
    forms: Mapping[str, OnForm] = {
        run_form.RUN_FORM: on.starting.by_form,
        run_form.RUN_PICK: on.starting.by_choice,
        request_modals.APPROVE_FORM: deciding.approve_by_modal,
        request_modals.REVIEW_FORM: deciding.approve_by_modal,
        request_modals.REJECT_FORM: deciding.reject_by_modal,
        **batch_forms(on),
        glass_modals.BREAK_FORM: on.breaking.by_form,
        glass_modals.REVIEW_FORM: on.breaking.reviewed_by_form,
        MOVE_FORM: on.moving_runs.by_form,
        change_form.CHANGE_FORM: Changing(desk=desk).by_form,
        question_card.ANSWER_FORM: on.answering.by_form,
    }
    for callback_id, handler in forms.items():
        _on_form(app, desk, callback_id, handler)


def _register_shortcuts(app: App, desk: Desk, on: Handlers) -> None:
    uses: Mapping[str, OnShortcut] = {
        message_shortcuts.MESSAGE_REQUEST: on.shortcuts.request,
        message_shortcuts.MESSAGE_FIND_RUN: on.shortcuts.find_run,
    }
    for callback_id, handler in uses.items():
        _on_shortcut(app, desk, callback_id, handler)
    _on_form(app, desk, message_shortcuts.MESSAGE_PICK, on.shortcuts.by_choice)
    _on_form(app, desk, thread_summary.THREAD_SHARE, on.shortcuts.share)

    def on_summary(ack: Ack, body: Body, context: Body) -> None:
        used = read_shortcut(body)
        try:
            context[OPENED] = on.shortcuts.open_summary(used)
        except InterlockError as refused:
            _tell(desk, used, refusal(refused))
        ack()

    def summarise(body: Body, context: Body) -> None:
        if context.get(OPENED):
            on.shortcuts.summarise(read_shortcut(body), str(context[OPENED]))

    # The conversation is read after the answer, however long it is.
    listens = app.shortcut(_on_message(thread_summary.THREAD_SUMMARISE))
    listens(ack=on_summary, lazy=[summarise])


def _register_events(app: App, desk: Desk, on: Handlers) -> None:
    def on_message(body: Body) -> None:
        happened = read_event(body)
        on.threads.take_up(happened)
        on.replies.take_up(happened)

    def on_mention(body: Body) -> None:
        on.threads.answer_mention(read_event(body))

    def on_groups(body: Body) -> None:
        desk.directory.groups_changed()
        HomeClicks(desk=desk).group_changed(read_event(body))

    def on_person(body: Body) -> None:
        desk.directory.person_changed(read_event(body).event.get("user", {}))

    def on_end() -> None:
        # One of many workspaces never hears this: its host does, and forgets its tokens.
        log.error("the app was removed from Slack; install it again, or stop this process")

    app.event("app_uninstalled")(on_end)
    app.event("tokens_revoked")(on_end)
    app.event("message")(on_message)
    app.event("app_mention")(on_mention)
    app.event("subteam_members_changed")(on_groups)
    app.event("subteam_updated")(on_groups)
    app.event("user_change")(on_person)


def _register_steps(app: App, steps: BuilderSteps) -> None:
    def on_request(body: Body, request: BoltRequest) -> None:
        attempt = next(iter(request.headers.get(RETRY_NUMBER, ())), "0")
        steps.take_up(read_event(body), is_last=int(attempt) >= LAST_RETRY)

    app.function(REQUEST_APPROVAL)(on_request)


def _register_rest(app: App, desk: Desk) -> None:
    """Answer what this release no longer knows: cards live for years, their buttons too."""

    def on_unknown(click: Interaction) -> None:
        log.info("an unknown button was used", extra={"action_id": click.press.action_id})
        _tell(desk, click, from_older_version())

    def on_unknown_form(_sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        view = refused_modal(from_older_version()).to_dict()
        return {"response_action": "update", "view": view}

    _on_click(app, desk, ANYTHING, on_unknown)
    _on_form(app, desk, ANYTHING, on_unknown_form)


def _on_click(
    app: App, desk: Desk, action_id: str | re.Pattern[str], handler: Callable[[Interaction], None]
) -> None:
    homes = HomeClicks(desk=desk)

    def listener(ack: Ack, body: Body) -> None:
        click = read_interaction(body)
        try:
            with naming(desk.roles, desk.library, click.caller.person):
                handler(click)
        except InterlockError as refused:
            _tell(desk, click, refusal(refused))
            after = homes.failed
        else:
            after = homes.did
        if click.is_home:
            after(click)
        ack()

    app.action(action_id)(listener)


def _on_form(
    app: App,
    desk: Desk,
    callback_id: str | re.Pattern[str],
    handler: OnForm,
) -> None:
    def listener(ack: Ack, body: Body, context: Body) -> None:
        try:
            sent = read_interaction(body)
            faults = secret_faults(desk.holds_secret, sent.sent.state)
            errors = {"response_action": "errors", "errors": faults}
            with naming(desk.roles, desk.library, sent.caller.person):
                answer = errors if faults else handler(sent, context)
        except InterlockError as refused:
            answer = refused_form(body, refused)
        ack(**answer)

    app.view(callback_id)(listener)


def _on_shortcut(app: App, desk: Desk, callback_id: str, handler: OnShortcut) -> None:
    def listener(ack: Ack, body: Body, context: Body) -> None:
        used = read_shortcut(body)
        try:
            with naming(desk.roles, desk.library, used.caller.person):
                handler(used, context)
        except InterlockError as refused:
            _tell(desk, used, refusal(refused))
        ack()

    app.shortcut(_on_message(callback_id))(listener)


def _on_message(callback_id: str) -> dict[str, str | re.Pattern[str]]:
    return {"type": "message_action", "callback_id": callback_id}


def _tell(desk: Desk, click: Interaction, words: str) -> None:
    """Say something to whoever clicked: beside a message, on a modal, or in one over Home."""
    if click.response_url:
        desk.hurried.answer(click.response_url, notice(words), thread=click.thread_to_answer)
    elif click.is_home:
        desk.hurried.open(click.trigger_id, refused_modal(words))
    elif click.view is not None:
        desk.hurried.push(click.trigger_id, refused_modal(words))


def _defects(desk: Desk, new_id: Callable[[], str]) -> Callable[..., None]:
    def on_defect(error: Exception, body: Body) -> None:
        # The listener fails as well, so that Slack shows its error and the click can be repeated.
        reference = new_id()[:8]
        kind = str(body.get("type") or body.get("command") or "")
        log.error("a listener failed", exc_info=error, extra={"reference": reference, "on": kind})
        url = body.get("response_url")
        if isinstance(url, str) and url:
            words = f"🛠️ Something broke here. Tell an operator this number: {reference}."
            place = body.get("container") or body.get("message") or {}
            desk.hurried.answer(url, notice(words), thread=thread_to_answer(place))

    return on_defect
