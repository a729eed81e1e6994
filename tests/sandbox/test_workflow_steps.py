"""A step of the app's in Workflow Builder: told once, waits, and ends by what the app says."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.errors import NotPossibleError
from sandbox.records import Execution
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.hand_clock import Clock

Json = dict[str, Any]
STEP = {
    "title": "Request approval",
    "description": "Asks the people whom the policy names",
    "input_parameters": {
        "properties": {
            "title": {"type": "string", "title": "Title"},
            "who": {"type": "slack#/types/user_id"},
        },
        "required": ["title"],
    },
    "output_parameters": {"properties": {"by": {"type": "string"}}, "required": ["by"]},
}


@pytest.fixture
def settings(clock: Clock) -> SandboxSettings:
    app = AppSettings(functions={"request_approval": STEP})
    return SandboxSettings(app=app, clock=clock, rate_scale=None, retry_delays=())


@pytest.fixture
def waiting(workspace: Workspace) -> Execution:
    return workspace.run_step("request_approval", {"title": "Open the gate"})


@pytest.fixture
def its(server: SandboxServer, waiting: Execution) -> WebClient:
    """A client with the token that came with the step."""
    return WebClient(token=waiting.token, base_url=server.api_url, retry_handlers=[])


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def test_bolts_own_listener_completes_a_step(
    app: App, connect: Callable[[], SocketModeHandler], workspace: Workspace
) -> None:
    @app.function("request_approval")
    def on_step(ack: Ack, inputs: Json, complete: Callable[..., object]) -> None:
        ack()
        complete({"by": f"nobody for {inputs['title']}"})

    connect()
    execution = workspace.run_step("request_approval", {"title": "Open the gate"})
    workspace.wait_for(lambda: execution.state == "completed", what="the step's end")

    assert execution.outputs == {"by": "nobody for Open the gate"}


def test_a_step_ends_once(its: WebClient, waiting: Execution) -> None:
    its.functions_completeError(function_execution_id=waiting.id, error="Ana rejected it.")
    again = refusal(
        lambda: its.functions_completeSuccess(function_execution_id=waiting.id, outputs={"by": ""})
    )

    assert (waiting.state, waiting.error) == ("failed", "Ana rejected it.")
    assert again == "token_expired"


def test_the_bots_own_token_completes_a_step_too(client: WebClient, waiting: Execution) -> None:
    client.functions_completeSuccess(function_execution_id=waiting.id, outputs={"by": "ana"})
    again = refusal(
        lambda: client.functions_completeError(function_execution_id=waiting.id, error="no")
    )

    assert waiting.state == "completed"
    assert again == "execution_not_in_running_state"


@pytest.mark.parametrize("outputs", [{}, {"by": "ana", "more": "x"}])
def test_outputs_are_those_that_were_declared(
    outputs: Json, its: WebClient, waiting: Execution
) -> None:
    told = refusal(
        lambda: its.functions_completeSuccess(function_execution_id=waiting.id, outputs=outputs)
    )

    assert told == "parameter_validation_failed"
    assert waiting.state == "running"


def test_the_token_of_a_step_ends_after_a_quarter_of_an_hour(
    its: WebClient, client: WebClient, waiting: Execution, clock: Clock
) -> None:
    clock.at += 901

    def complete(by: WebClient) -> object:
        return by.functions_completeSuccess(function_execution_id=waiting.id, outputs={"by": "ana"})

    assert refusal(lambda: complete(its)) == "token_expired"
    complete(client)
    assert waiting.state == "completed"


def test_a_step_nobody_knows_cannot_be_completed(client: WebClient) -> None:
    told = refusal(
        lambda: client.functions_completeError(function_execution_id="Fx404", error="no")
    )

    assert told == "function_execution_not_found"


def test_another_use_of_a_steps_token_is_held_against_the_app(
    its: WebClient, server: SandboxServer
) -> None:
    its.auth_test()

    assert any("completing the step" in one.what for one in server.recorder.faults)


@pytest.mark.parametrize(
    ("step", "inputs", "why"),
    [
        ("order_lunch", {}, "offers no step"),
        ("request_approval", {}, "needs"),
        ("request_approval", {"title": "x", "colour": "red"}, "takes"),
    ],
)
def test_a_step_slack_would_not_run_is_refused(
    step: str, inputs: Json, why: str, workspace: Workspace
) -> None:
    with pytest.raises(NotPossibleError, match=why):
        workspace.run_step(step, inputs)


def test_a_manifest_brings_its_steps_and_the_names_of_its_shortcuts() -> None:
    named = {"callback_id": "message.find", "type": "message", "name": "Find its run"}
    app = AppSettings.from_manifest(
        {
            "display_information": {"name": "Interlock"},
            "features": {"shortcuts": [named]},
            "oauth_config": {"scopes": {"bot": ["commands"]}},
            "settings": {},
            "functions": {"request_approval": STEP},
        }
    )

    assert app.functions == {"request_approval": STEP}
    assert app.shortcut_names == {"message.find": "Find its run"}
