"""The Web API over HTTP with the real slack_sdk: what works, and every refusal by its name."""

from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.workspace import Workspace

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "Refund order 8841"}}


def refusal(client: WebClient, method: str, **arguments: object) -> str:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


@pytest.fixture
def settings() -> SandboxSettings:
    return SandboxSettings(rate_scale=None)


def test_a_token_tells_whose_it_is(client: WebClient) -> None:
    answer = client.auth_test()

    assert answer["team_id"] == "T0ACME"
    assert answer["user_id"] == "U0INTERLOCK"
    assert answer["bot_id"] == "B0INTERLOCK"


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("xoxb-somebody-else", "invalid_auth"),
        ("xapp-1-A0INTERLOCK-sandbox", "not_allowed_token_type"),
    ],
)
def test_a_wrong_token_is_refused(server: SandboxServer, token: str, error: str) -> None:
    stranger = WebClient(token=token, base_url=server.api_url)

    assert refusal(stranger, "auth.test") == error


def test_a_revoked_token_is_refused(server: SandboxServer, client: WebClient) -> None:
    server.revoke_token()

    assert refusal(client, "auth.test") == "token_revoked"


def test_a_method_nobody_knows_is_named_in_the_answer(
    server: SandboxServer, client: WebClient
) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.api_call("chat.whisper")

    assert caught.value.response["error"] == "unknown_method"
    assert caught.value.response["req_method"] == "chat.whisper"
    assert server.recorder.faults[0].where == "chat.whisper"


def test_missing_arguments_are_named(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.api_call("chat.update", json={"channel": "C0OPS", "text": "x"})

    assert caught.value.response["error"] == "invalid_arguments"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] missing required field: ts"
    ]


def test_unknown_arguments_are_taken_and_held_against_the_caller(
    server: SandboxServer, client: WebClient
) -> None:
    client.api_call("chat.postMessage", json={"channel": "C0OPS", "text": "x", "colour": "red"})

    assert [one.what for one in server.recorder.faults] == ["unknown argument colour"]


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0FINANCE", "text": "x"}, None),
        ("chat.postMessage", {"channel": "C0ARCHIVE", "text": "x"}, "is_archived"),
        ("chat.postMessage", {"channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "U0DEX", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0OPS"}, "no_text"),
        ("chat.postMessage", {"channel": "C0OPS", "text": " "}, "no_text"),
        ("chat.postMessage", {"channel": "C0OPS", "blocks": {}}, "no_text"),
        ("chat.postMessage", {"channel": "C0OPS", "blocks": "no list"}, "invalid_blocks_format"),
        (
            "chat.postMessage",
            {"channel": "C0OPS", "text": "x", "markdown_text": "y"},
            "markdown_text_conflict",
        ),
        (
            "chat.postMessage",
            {"channel": "C0OPS", "text": "x", "metadata": {"event_type": 1}},
            "invalid_metadata_format",
        ),
        (
            "chat.postMessage",
            {
                "channel": "C0OPS",
                "text": "x",
                "metadata": {"event_type": "a", "event_payload": {"long": "x" * 9_000}},
            },
            "metadata_too_large",
        ),
        ("chat.update", {"channel": "C0OPS", "ts": "1.000001", "text": "x"}, "message_not_found"),
        ("chat.delete", {"channel": "C0OPS", "ts": "1.000001"}, "message_not_found"),
        (
            "chat.postEphemeral",
            {"channel": "C0OPS", "user": "U0DEX", "text": "x"},
            "user_not_in_channel",
        ),
        ("conversations.history", {"channel": "C0GENERAL"}, "not_in_channel"),
        ("conversations.history", {"channel": "C0OPS", "limit": 1_000}, "invalid_limit"),
        ("conversations.history", {"channel": "C0OPS", "cursor": "??"}, "invalid_cursor"),
        ("conversations.replies", {"channel": "C0OPS", "ts": "1.000001"}, "thread_not_found"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("conversations.open", {"users": "U0DEX"}, "user_disabled"),
        ("conversations.list", {"types": "secret"}, "invalid_types"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("users.lookupByEmail", {"email": "nobody@acme.example"}, "users_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        (
            "reactions.add",
            {"channel": "C0OPS", "name": "eyes", "timestamp": "1.000001"},
            "message_not_found",
        ),
    ],
)
def test_each_refusal_has_slacks_own_name(
    client: WebClient, method: str, arguments: dict[str, Any], error: str | None
) -> None:
    if error is None:
        assert client.api_call(method, json=arguments)["ok"]
    else:
        assert refusal(client, method, **arguments) == error


def test_a_private_channel_without_the_bot_does_not_exist_for_it(
    client: WebClient, workspace: Workspace
) -> None:
    workspace.add_channel("secret", members=["ana"], private=True, bot=False)

    assert refusal(client, "chat.postMessage", channel="C0SECRET", text="x") == "channel_not_found"
    assert refusal(client, "conversations.info", channel="C0SECRET") == "channel_not_found"


def test_somebody_elses_message_can_be_neither_changed_nor_deleted(
    client: WebClient, workspace: Workspace
) -> None:
    said = workspace.person("rita").say("please refund 8841")
    place = {"channel": said.channel, "ts": said.ts}

    assert refusal(client, "chat.update", **place, text="x") == "cant_update_message"
    assert refusal(client, "chat.delete", **place) == "cant_delete_message"


def test_a_message_keeps_its_metadata_through_an_update(
    client: WebClient, workspace: Workspace
) -> None:
    metadata = {"event_type": "interlock.outbox", "event_payload": {"id": "out_1"}}
    posted = client.chat_postMessage(
        channel="C0OPS", text="Waiting", blocks=[SECTION], metadata=metadata
    )
    client.chat_update(channel="C0OPS", ts=posted["ts"], text="Done")

    short = client.conversations_history(channel="C0OPS")["messages"][0]
    full = client.conversations_history(channel="C0OPS", include_all_metadata=True)["messages"][0]
    assert short["metadata"] == {"event_type": "interlock.outbox"}
    assert full["metadata"] == metadata
    assert full["text"] == "Done"
    assert "blocks" not in full
    assert workspace.messages()[-1].words == "Done"


def test_an_update_takes_less_text_than_a_post(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="C0OPS", text="x" * 40_001)
    place = {"channel": "C0OPS", "ts": posted["ts"]}

    assert len(posted["message"]["text"]) == 40_000
    assert refusal(client, "chat.update", **place, text="x" * 4_001) == "msg_too_long"
    assert client.chat_update(**place, text="x" * 4_000)["ok"]


def test_history_comes_in_pages_newest_first(client: WebClient, workspace: Workspace) -> None:
    rita = workspace.person("rita")
    said = [rita.say(f"number {number}") for number in range(5)]
    rita.say("a reply", thread=said[0])

    pages = [
        [one["text"] for one in answer["messages"]]
        for answer in client.conversations_history(channel="C0OPS", limit=2)
    ]
    between = client.conversations_history(
        channel="C0OPS", oldest=said[1].ts, latest=said[3].ts, inclusive=True
    )
    assert pages == [["number 4", "number 3"], ["number 2", "number 1"], ["number 0"]]
    assert [one["text"] for one in between["messages"]] == ["number 3", "number 2", "number 1"]


def test_replies_bring_the_first_message_and_come_oldest_first(
    client: WebClient, workspace: Workspace
) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="Run 17")
    for number in range(3):
        client.chat_postMessage(channel="C0OPS", text=f"step {number}", thread_ts=root["ts"])

    pages = [
        [one["text"] for one in answer["messages"]]
        for answer in client.conversations_replies(channel="C0OPS", ts=root["ts"], limit=3)
    ]
    found = client.conversations_replies(channel="C0OPS", ts=root["ts"])["messages"]
    assert pages == [["Run 17", "step 0", "step 1"], ["step 2"]]
    assert found[0]["reply_count"] == 3
    assert [one.text for one in workspace.messages()] == ["Run 17"]


def test_a_message_names_the_app_behind_it_and_who_began_its_thread(client: WebClient) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="Run 17")
    reply = client.chat_postMessage(channel="C0OPS", text="step 1", thread_ts=root["ts"])["message"]

    assert reply["bot_profile"]["name"] == "Interlock"
    assert reply["parent_user_id"] == root["message"]["user"]
    assert "parent_user_id" not in root["message"]


def test_a_deleted_first_message_leaves_a_tombstone_over_its_replies(client: WebClient) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="Run 17")
    client.chat_postMessage(channel="C0OPS", text="step 1", thread_ts=root["ts"])
    client.chat_delete(channel="C0OPS", ts=root["ts"])

    found = client.conversations_replies(channel="C0OPS", ts=root["ts"])["messages"]
    assert [one.get("subtype") for one in found] == ["tombstone", None]
    gone = {"channel": "C0OPS", "ts": root["ts"], "text": "x"}
    assert refusal(client, "chat.update", **gone) == "message_not_found"


def test_people_carry_the_flags_that_decide_who_may_approve(client: WebClient) -> None:
    gil, dex = client.users_info(user="U0GIL")["user"], client.users_info(user="U0DEX")["user"]
    connie = client.users_info(user="U0CONNIE")["user"]
    listed = [one["name"] for one in client.users_list()["members"]]

    assert gil["is_restricted"]
    assert dex["deleted"]
    assert (connie["is_stranger"], connie["team_id"]) == (True, "T0GLOBEX")
    assert "dex" in listed
    assert "connie" not in listed


def test_groups_list_their_people_until_they_are_disabled(
    client: WebClient, workspace: Workspace
) -> None:
    groups = client.usergroups_list(include_users=True)["usergroups"]
    found = {one["handle"]: one["users"] for one in groups}
    workspace.disable_group("finance-leads")

    left = [one["handle"] for one in client.usergroups_list()["usergroups"]]
    assert found["finance-leads"] == ["U0ANA", "U0BEN"]
    assert "finance-leads" not in left
    wanted = {"usergroup": "S0FINANCELEADS"}
    assert refusal(client, "usergroups.users.list", **wanted) == "subteam_disabled"


def test_a_direct_message_goes_to_a_conversation_of_its_own(
    client: WebClient, workspace: Workspace
) -> None:
    opened = client.conversations_open(users="U0RITA")["channel"]["id"]
    posted = client.chat_postMessage(channel="U0RITA", text="Your refund is done")

    assert opened.startswith("D")
    assert posted["channel"] == opened
    assert workspace.wait_for_message("refund is done", channel="@rita").ts == posted["ts"]
    assert workspace.person("rita").notifications[-1].text == "Your refund is done"


def test_a_permalink_of_a_reply_names_its_thread(client: WebClient, server: SandboxServer) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="Run 17")
    reply = client.chat_postMessage(channel="C0OPS", text="step 1", thread_ts=root["ts"])
    link = client.chat_getPermalink(channel="C0OPS", message_ts=reply["ts"])["permalink"]

    assert link.startswith(f"{server.url}/archives/C0OPS/p{reply['ts'].replace('.', '')}")
    assert f"thread_ts={root['ts']}" in link


def test_a_file_is_uploaded_in_three_steps(client: WebClient, workspace: Workspace) -> None:
    client.files_upload_v2(
        channel="C0OPS", filename="digest.txt", content="all runs", initial_comment="The week"
    )

    message = workspace.wait_for_message("The week")
    assert len(message.files) == 1
    assert refusal(client, "files.completeUploadExternal", files=[{"id": "F0"}]) == "file_not_found"


def test_what_was_uploaded_is_named_and_no_more_is_told_of_it(client: WebClient) -> None:
    began = client.files_getUploadURLExternal(filename="digest.txt", length=3)
    httpx.post(str(began["upload_url"]), content=b"all").raise_for_status()
    done = client.files_completeUploadExternal(files=[{"id": began["file_id"], "title": "All"}])

    assert done["files"] == [{"id": began["file_id"], "title": "All"}]


def test_of_a_deactivated_account_slack_tells_no_flags_and_no_time_zone(client: WebClient) -> None:
    gone = client.users_info(user="U0DEX")["user"]

    assert gone["deleted"]
    assert gone["profile"]["real_name"]
    assert not gone.keys() & {"real_name", "tz", "is_admin", "is_restricted", "is_ultra_restricted"}


def test_the_people_of_a_channel_are_counted_when_asked(client: WebClient) -> None:
    plain = client.conversations_info(channel="C0OPS")["channel"]
    counted = client.conversations_info(channel="C0OPS", include_num_members=True)["channel"]

    assert "num_members" not in plain
    assert counted["num_members"] > 0


def test_a_reaction_is_added_once(client: WebClient, workspace: Workspace) -> None:
    posted = client.chat_postMessage(channel="C0OPS", text="Run 17")
    mark = {"channel": "C0OPS", "name": "white_check_mark", "timestamp": posted["ts"]}
    client.reactions_add(**mark)

    assert refusal(client, "reactions.add", **mark) == "already_reacted"
    assert workspace.messages()[-1].reactions == ("white_check_mark",)


def test_mobile_notifications_show_text_alone_with_names_in_place_of_ids(
    client: WebClient, workspace: Workspace
) -> None:
    client.chat_postMessage(
        channel="C0OPS", text="<!subteam^S0FINANCELEADS> please", blocks=[SECTION]
    )
    mention = {"type": "section", "text": {"type": "mrkdwn", "text": "<@U0RITA> look"}}
    client.api_call("chat.postMessage", json={"channel": "C0OPS", "blocks": [mention]})

    assert [one.text for one in workspace.person("ana").notifications] == ["@finance-leads please"]
    assert workspace.person("rita").notifications[0].text == "This content can't be displayed."
    assert workspace.person("sam").notifications == []


class TestWithFewScopes:
    """An app that was installed without the scopes it needs."""

    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return SandboxSettings(app=AppSettings(scopes=frozenset({"channels:history"})))

    def test_a_missing_scope_is_named_beside_those_it_has(self, client: WebClient) -> None:
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel="C0OPS", text="x")

        assert caught.value.response["error"] == "missing_scope"
        assert caught.value.response["needed"] == "chat:write"
        assert caught.value.response["provided"] == "channels:history"

    def test_a_private_channels_history_needs_a_scope_of_its_own(self, client: WebClient) -> None:
        assert client.conversations_history(channel="C0OPS")["ok"]
        assert refusal(client, "conversations.history", channel="C0FINANCE") == "missing_scope"


class TestOnAFreePlan:
    """A workspace whose plan has no user groups."""

    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return SandboxSettings(paid_plan=False)

    def test_groups_cannot_be_read(self, client: WebClient) -> None:
        assert refusal(client, "usergroups.list") == "plan_upgrade_required"


class TestWithRealRates:
    """A workspace that counts calls, on a clock that stands still."""

    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return SandboxSettings(clock=lambda: 1_767_600_000.0)

    def test_a_burst_of_posts_in_one_channel_is_held_back(self, client: WebClient) -> None:
        for number in range(5):
            client.chat_postMessage(channel="C0OPS", text=str(number))
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel="C0OPS", text="one too many")

        assert caught.value.response.status_code == 429
        assert caught.value.response["error"] == "ratelimited"
        assert caught.value.response.headers["Retry-After"] == "1"
        assert client.chat_postMessage(channel="C0FINANCE", text="elsewhere")["ok"]

    def test_a_tier_two_method_answers_twenty_times_a_minute(self, client: WebClient) -> None:
        for _ in range(20):
            client.usergroups_list()
        with pytest.raises(SlackApiError) as caught:
            client.usergroups_list()

        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "3"
        assert client.users_info(user="U0RITA")["ok"]
