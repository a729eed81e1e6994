"""Files chosen in a form: uploaded at once, held to the element's limits, seen by the app."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.errors import NotPossibleError
from sandbox.server import SandboxServer
from sandbox.settings import BOT_SCOPES, AppSettings, SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]
Form = Callable[..., list[Json]]


@pytest.fixture
def app_settings() -> AppSettings:
    return AppSettings()


@pytest.fixture
def settings(app_settings: AppSettings) -> SandboxSettings:
    return SandboxSettings(app=app_settings, ack_seconds=PATIENCE, rate_scale=None)


def a_form(**element: object) -> Json:
    field = {
        "type": "input",
        "block_id": "plan",
        "label": {"type": "plain_text", "text": "Plan"},
        "element": {"type": "file_input", "action_id": "value", **element},
    }
    title = {"type": "plain_text", "text": "Plan"}
    form = {"type": "modal", "callback_id": "plan", "title": title, "blocks": [field]}
    return form | {"submit": {"type": "plain_text", "text": "Send"}}


@pytest.fixture
def form(
    app: App, connect: Callable[[], SocketModeHandler], workspace: Workspace, client: WebClient
) -> Form:
    """Open a form with a file field for Rita; the returned list gets what was submitted."""
    sent: list[Json] = []
    wanted: list[Json] = []

    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        ack()
        with suppress(SlackApiError):  # What was refused is read from what was recorded.
            client.views_open(trigger_id=body["trigger_id"], view=wanted[-1])

    @app.view("plan")
    def on_submit(ack: Ack, view: Json) -> None:
        sent.extend(view["state"]["values"]["plan"]["value"]["files"])
        ack()

    connect()

    def opened(**element: object) -> list[Json]:
        wanted.append(a_form(**element))
        workspace.person("rita").command("/ops plan")
        return sent

    return opened


def test_a_chosen_file_reaches_the_app_and_may_be_looked_at(
    form: Form, workspace: Workspace, client: WebClient
) -> None:
    sent = form(max_files=1)
    workspace.person("rita").submit({"Plan": {"name": "plan.CSV", "content": "a,b\n"}})

    known = client.files_info(file=sent[0]["id"])["file"]
    assert (known["name"], known["size"], known["filetype"]) == ("plan.CSV", 4, "csv")
    assert (sent[0]["id"], sent[0]["user"]) == (known["id"], "U0RITA")


def test_a_client_holds_back_the_wrong_files(form: Form, workspace: Workspace) -> None:
    sent = form(max_files=1, filetypes=["csv", "pdf"])
    rita = workspace.person("rita")
    with pytest.raises(NotPossibleError) as of_type:
        rita.submit({"Plan": "plan.exe"})
    with pytest.raises(NotPossibleError) as of_number:
        rita.submit({"Plan": ["one.csv", "two.csv"]})
    with pytest.raises(NotPossibleError, match="at most 10 MB"):
        rita.fill({"Plan": {"name": "big.csv", "content": "x" * 10_000_001}})
    rita.submit({"Plan": "plan.pdf"})

    assert of_type.value.fields == {"plan": "Please choose a file of type csv, pdf."}
    assert of_number.value.fields == {"plan": "Too many files."}
    assert [one["name"] for one in sent] == ["plan.pdf"]


@pytest.mark.parametrize(
    "element", [{"max_files": 11}, {"max_files": 0}, {"filetypes": ["x" * 21]}]
)
def test_a_form_that_asks_for_files_as_slack_never_would_is_refused(
    element: Json, form: Form, workspace: Workspace, server: SandboxServer
) -> None:
    form(**element)

    assert server.recorder.calls("views.open")[0].answer["error"] == "invalid_arguments"
    assert workspace.person("rita").view is None


def test_a_file_nobody_uploaded_does_not_exist(client: WebClient) -> None:
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_info(file="F404")


def test_a_file_of_a_place_is_seen_by_its_members(client: WebClient) -> None:
    made = client.files_upload_v2(channel="C0OPS", filename="own.txt", content="ours")

    assert client.files_info(file=made["file"]["id"])["file"]["name"] == "own.txt"


class TestWithoutTheScope:
    """An app that may not read files."""

    @pytest.fixture
    def app_settings(self) -> AppSettings:
        return replace(AppSettings(), scopes=BOT_SCOPES - {"files:read"})

    def test_files_can_be_neither_asked_for_nor_looked_at(
        self, form: Form, client: WebClient, server: SandboxServer
    ) -> None:
        form()
        opening = server.recorder.calls("views.open")[0]

        assert (opening.answer["error"], opening.answer["needed"]) == (
            "missing_scope",
            "files:read",
        )
        with pytest.raises(SlackApiError, match="missing_scope"):
            client.files_info(file="F404")
