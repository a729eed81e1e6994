"""What the app's acknowledgements do: to commands, clicks, modals, and through response URLs."""

from collections.abc import Callable

from sandbox import limits, posting
from sandbox.delivery.envelope import Delivery
from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.methods.chat import bot_message, content_of
from sandbox.records import Channel, Complaint, Ephemeral, ResponseUrl, View
from sandbox.rules.shapes import Faults, list_of
from sandbox.rules.texts import menu_option
from sandbox.rules.views import check_view
from sandbox.screens import close_all, close_top, new_view, push_view, replace_view

_choices = list_of(menu_option, least=0, most=limits.OPTIONS)
TROUBLE = "We had some trouble connecting. Try again?"


def complain(hub: Hub, delivery: Delivery, *, kind: str, text: str, **where: str | None) -> None:
    """Let Slack tell the person that the app did not answer."""
    hub.state.complaints.append(
        Complaint(
            at=hub.state.now(),
            user=str(delivery.user),
            kind=kind,
            text=text,
            error=delivery.outcome,
            **where,
        )
    )
    hub.state.changed("complaint", user=delivery.user)


def after_command(hub: Hub, channel: Channel) -> Callable[[Delivery], None]:
    """Return what happens once a command is acknowledged, or is not."""

    def settle(delivery: Delivery) -> None:
        command = delivery.payload["command"]
        if not delivery.acked:
            text = f'{command} failed with the error "{delivery.outcome}"'
            complain(hub, delivery, kind="command", text=text, channel=channel.id)
        elif delivery.answer and (delivery.answer.get("text") or delivery.answer.get("blocks")):
            _answer_command(hub, delivery, channel)

    return settle


def _answer_command(hub: Hub, delivery: Delivery, channel: Channel) -> None:
    try:
        say(hub, delivery.answer or {}, channel=channel, to=str(delivery.user), thread_ts=None)
    except SlackError as refusal:
        hub.recorder.blame(f"answer refused: {refusal.error} {refusal.messages}", "command")
        text = f'{delivery.payload["command"]} failed with the error "{refusal.error}"'
        complain(hub, delivery, kind="command", text=text, channel=channel.id)


def after_click(hub: Hub, where: dict[str, str | None]) -> Callable[[Delivery], None]:
    """Return what happens once a click is acknowledged, or is not: a warning beside it."""

    def settle(delivery: Delivery) -> None:
        if not delivery.acked:
            complain(hub, delivery, kind="click", text="This didn't work.", **where)

    return settle


def after_shortcut(hub: Hub) -> Callable[[Delivery], None]:
    """Return what happens once a shortcut is acknowledged, or is not."""

    def settle(delivery: Delivery) -> None:
        if not delivery.acked:
            complain(hub, delivery, kind="shortcut", text="This app didn't respond.")

    return settle


def after_submission(hub: Hub, view_id: str) -> Callable[[Delivery], None]:
    """Return what happens once a submission is acknowledged, or is not."""

    def settle(delivery: Delivery) -> None:
        view = hub.state.views.get(view_id)
        if view is None:
            return  # The person closed it meanwhile.
        if not delivery.acked:
            _in_trouble(hub, delivery, view)
            return
        try:
            _obey(hub, view, delivery.answer or {})
        except SlackError as refusal:
            hub.recorder.blame(f"{refusal.error} {refusal.messages}", "view_submission")
            _in_trouble(hub, delivery, view)

    return settle


def _in_trouble(hub: Hub, delivery: Delivery, view: View) -> None:
    view.trouble = TROUBLE
    complain(hub, delivery, kind="submission", text=TROUBLE)


def _obey(hub: Hub, view: View, answer: Json) -> None:
    action = answer.get("response_action")
    if action is None:
        close_top(hub, view.user)
    elif action == "clear":
        close_all(hub, view.user)
    elif action == "errors":
        _show_errors(hub, view, answer.get("errors"))
    elif action == "update":
        replace_view(hub, view, check_view(answer.get("view"), kind="modal"))
    elif action == "push":
        content = check_view(answer.get("view"), kind="modal")
        push_view(hub, new_view(hub, view.user, content), fresh=False)
    else:
        raise SlackError("invalid_response_action", [str(action)])


def _show_errors(hub: Hub, view: View, errors: Unchecked) -> None:
    inputs = {one["block_id"] for one in view.content["blocks"] if one["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise SlackError("invalid_errors", [f"errors must name input blocks of the view: {errors}"])
    view.errors = {block_id: str(hint) for block_id, hint in errors.items()}
    hub.state.changed("view_changed", user=view.user, view=view.id)


def offered(hub: Hub, delivery: Delivery) -> list[Json]:
    """Return the choices that the app offers for what was typed; a wrong answer shows none."""
    answer, faults = delivery.answer or {}, Faults()
    groups = answer.get("option_groups") or [answer]
    found = [one.get("options") for one in groups]
    for options in found:
        _choices(options, "/options", faults)
    if not delivery.acked or faults.messages:
        hub.recorder.blame(f"no choices: {delivery.outcome} {faults.messages}", "block_suggestion")
        return []
    return [option for options in found for option in options]


def use_response_url(hub: Hub, token: str, answer: Json) -> None:
    """Do what an app asks for at a response URL.

    Raises:
        SlackError: `expired_url`, `used_url`, `no_text`, or what the blocks deserve.
    """
    with hub.state.lock:
        url = hub.state.response_urls.get(token)
        if url is None or hub.state.now() > url.expires:
            raise SlackError("expired_url")
        if url.uses >= limits.RESPONSE_URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        _answer_at(hub, url, answer)


def _answer_at(hub: Hub, url: ResponseUrl, answer: Json) -> None:
    channel = hub.state.channels[url.channel]
    if answer.get("delete_original") and url.message_ts:
        _delete_original(hub, url, channel)
    elif answer.get("replace_original") and url.message_ts:
        _replace_original(hub, url, channel, answer)
    else:
        # Beside the message, in its thread, an answer stands only where it says so.
        say(hub, answer, channel=channel, to=url.user, thread_ts=answer.get("thread_ts"))


def _delete_original(hub: Hub, url: ResponseUrl, channel: Channel) -> None:
    if url.ephemeral:
        hub.state.ephemerals[:] = [one for one in hub.state.ephemerals if one.ts != url.message_ts]
        hub.state.changed("ephemeral", channel=channel.id, user=url.user)
    elif message := channel.messages.get(str(url.message_ts)):
        posting.delete(hub, channel, message)


def _replace_original(hub: Hub, url: ResponseUrl, channel: Channel, answer: Json) -> None:
    content = content_of(hub, answer)
    if not url.ephemeral:
        message = hub.state.message(channel.id, str(url.message_ts))
        posting.edit(hub, channel, message, content)
        return
    for one in hub.state.ephemerals:
        if one.ts == url.message_ts:
            one.text, one.blocks = content["text"], content["blocks"]
    hub.state.changed("ephemeral", channel=channel.id, user=url.user)


def say(hub: Hub, answer: Json, *, channel: Channel, to: str, thread_ts: str | None) -> None:
    """Show an answer: to the person alone, or with `in_channel` to everybody.

    Raises:
        SlackError: `no_text`, or what the blocks deserve.
    """
    content = content_of(hub, answer)
    if answer.get("response_type") == "in_channel":
        posting.post(hub, channel, bot_message(hub, channel, thread_ts=thread_ts, **content))
        return
    content.pop("attachments")
    made = Ephemeral(
        ts=hub.state.next_ts(),
        channel=channel.id,
        to=to,
        author=hub.state.bot,
        thread_ts=thread_ts,
        **content,
    )
    posting.whisper(hub, made)
