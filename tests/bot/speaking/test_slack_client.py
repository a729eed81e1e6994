"""Calls to a Slack over real HTTP: what becomes of each, told apart by class alone."""

import pytest

from bot.slack_client import Content, Place, SlackClient
from bot.slack_errors import (
    LostAnswerError,
    RateLimitedError,
    RefusedError,
    SlackError,
    UnreadyError,
)
from sandbox import faults as fault
from sandbox.faults import Fault
from sandbox.ports import free_port
from sandbox.server import SandboxServer

HELLO = Content(text="Hello")
MARK = {"event_type": "interlock_message", "event_payload": {"outbox": 1}}


def post(client: SlackClient, channel: str = "#ops") -> Place:
    return client.post(channel, HELLO, thread=None, metadata=MARK)


def test_a_post_says_where_the_message_stands(server: SandboxServer, client: SlackClient) -> None:
    place = post(client)

    (shown,) = server.workspace.messages("#ops")
    assert (shown.channel, shown.ts) == (place.channel, place.ts)
    assert shown.metadata == MARK


def test_a_message_carries_no_link_previews(server: SandboxServer, client: SlackClient) -> None:
    post(client)

    (call,) = server.recorder.calls("chat.postMessage")
    assert not call.arguments["unfurl_links"]
    assert not call.arguments["unfurl_media"]
    assert server.recorder.faults == []


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (fault.lose_answer(), LostAnswerError),
        (fault.reset(), LostAnswerError),
        (fault.server_error(500), LostAnswerError),
        (fault.server_error(503), LostAnswerError),
        (fault.refuse("fatal_error"), LostAnswerError),
        (fault.rate_limited(7), RateLimitedError),
        (fault.refuse("ratelimited"), RateLimitedError),
        (fault.refuse("channel_not_found"), RefusedError),
        (fault.refuse("service_unavailable"), UnreadyError),
        (fault.refuse("token_revoked"), UnreadyError),
        (fault.refuse("two_factor_setup_required"), UnreadyError),
    ],
)
def test_each_way_to_fail_has_its_class(
    server: SandboxServer, client: SlackClient, wrong: Fault, kind: type[SlackError]
) -> None:
    server.faults.next("chat.postMessage", wrong)

    with pytest.raises(SlackError) as told:
        post(client)

    assert type(told.value) is kind
    assert told.value.method == "chat.postMessage"


def test_a_slow_answer_is_a_lost_one(server: SandboxServer) -> None:
    hasty = SlackClient(server.bot_token, base_url=server.api_url, timeout=0.2)
    server.faults.next("chat.postMessage", fault.slow(0.6))

    with pytest.raises(LostAnswerError):
        post(hasty)

    server.workspace.wait_for_message("Hello", channel="#ops")


def test_a_lost_answer_is_never_sent_again_by_the_library(
    server: SandboxServer, client: SlackClient
) -> None:
    server.faults.next("chat.postMessage", fault.lose_answer())

    with pytest.raises(LostAnswerError):
        post(client)

    assert len(server.workspace.messages("#ops")) == 1


def test_slack_says_how_long_to_wait(server: SandboxServer, client: SlackClient) -> None:
    server.faults.next("chat.postMessage", fault.rate_limited(7))

    with pytest.raises(RateLimitedError) as told:
        post(client)

    assert told.value.after == 7.0


def test_nobody_listening_is_no_doubt() -> None:
    nowhere = SlackClient("xoxb-x", base_url=f"http://127.0.0.1:{free_port()}/api/")

    with pytest.raises(UnreadyError, match="unreachable"):
        post(nowhere)


def test_a_wrong_token_needs_a_person(server: SandboxServer) -> None:
    stranger = SlackClient("xoxb-wrong", base_url=server.api_url)

    with pytest.raises(UnreadyError) as told:
        post(stranger)

    assert told.value.needs_a_person


@pytest.mark.parametrize("code", ["token_expired", "token_revoked", "invalid_auth"])
def test_a_token_that_is_replaced_while_slack_refuses_it_is_no_trouble(
    server: SandboxServer, code: str
) -> None:
    told: list[str] = []
    client = SlackClient("xoxb-before", base_url=server.api_url)
    client.on_refused(told.append)

    def replaced(_arguments: object) -> bool:
        client.use(server.bot_token)
        return True

    server.faults.next("chat.postMessage", fault.refuse(code), when=replaced)
    post(client)

    assert told == []
    assert len(server.workspace.messages("#ops")) == 1


def test_a_token_that_is_refused_and_not_replaced_is_told_once(server: SandboxServer) -> None:
    told: list[str] = []
    client = SlackClient("xoxb-before", base_url=server.api_url)
    client.on_refused(told.append)

    with pytest.raises(UnreadyError):
        post(client)

    assert told == ["invalid_auth"]


def test_a_thread_is_read_with_the_marks_of_its_messages(
    client: SlackClient,
) -> None:
    root = post(client)
    for number in range(3):
        mark = {"event_type": "interlock_message", "event_payload": {"outbox": number}}
        client.post("#ops", HELLO, thread=root.ts, metadata=mark)

    found = list(client.messages(root.channel, thread=root.ts))

    assert [one["metadata"]["event_payload"]["outbox"] for one in found] == [1, 0, 1, 2]


def test_long_histories_are_read_page_by_page(
    server: SandboxServer, client: SlackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack_client.PAGE", 2)
    places = [post(client) for _ in range(5)]

    found = list(client.messages(places[0].channel, thread=None))

    assert len(found) == 5
    assert len(server.recorder.calls("conversations.history")) == 3


def test_an_update_replaces_text_and_blocks(server: SandboxServer, client: SlackClient) -> None:
    place = post(client)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "*News*"}}

    client.update(place, Content(text="News", blocks=[block]))

    (shown,) = server.workspace.messages("#ops")
    assert shown.text == "News"
    assert shown.blocks[0]["text"]["text"] == "*News*"
