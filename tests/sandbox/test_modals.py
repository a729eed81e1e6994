"""Modals and Home: triggers, the stack, hashes, and what a submission's answer does."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.errors import NotPossibleError
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.hand_clock import Clock
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]
Connect = Callable[[], SocketModeHandler]


@pytest.fixture
def settings(clock: Clock) -> SandboxSettings:
    return SandboxSettings(clock=clock, ack_seconds=PATIENCE, rate_scale=None)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def an_input(block_id: str = "order", **element: object) -> Json:
    made = {"type": "plain_text_input", "action_id": "value", **element}
    label = plain(block_id.capitalize())
    return {"type": "input", "block_id": block_id, "label": label, "element": made}


def a_form(*blocks: Json, title: str = "Refund", **more: object) -> Json:
    return {
        "type": "modal",
        "callback_id": "run.start",
        "title": plain(title),
        "submit": plain("Ask"),
        "blocks": list(blocks) or [an_input()],
        **more,
    }


@pytest.fixture
def trigger(app: App, connect: Connect, workspace: Workspace) -> Callable[[], str]:
    """Return a fresh trigger of Rita's, from a command she types."""
    seen: list[str] = []

    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        seen.append(body["trigger_id"])
        ack()

    connect()

    def typed() -> str:
        workspace.person("rita").command("/ops run")
        return seen[-1]

    return typed


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def test_a_trigger_opens_one_modal_within_three_seconds(
    client: WebClient, trigger: Callable[[], str], clock: Clock
) -> None:
    fresh, late = trigger(), trigger()
    client.views_open(trigger_id=fresh, view=a_form())
    clock.at += 3.1

    assert refusal(lambda: client.views_open(trigger_id="1.2.3", view=a_form())) == (
        "invalid_trigger_id"
    )
    assert refusal(lambda: client.views_open(trigger_id=fresh, view=a_form())) == (
        "exchanged_trigger_id"
    )
    assert refusal(lambda: client.views_open(trigger_id=late, view=a_form())) == (
        "expired_trigger_id"
    )


def test_an_update_with_an_old_hash_conflicts(
    client: WebClient, trigger: Callable[[], str], workspace: Workspace
) -> None:
    opened = client.views_open(trigger_id=trigger(), view=a_form())["view"]
    updated = client.views_update(
        view_id=opened["id"], hash=opened["hash"], view=a_form(title="Loaded")
    )["view"]

    assert updated["id"] == opened["id"]
    assert workspace.person("rita").wait_for_view("Loaded").hash == updated["hash"]
    assert refusal(
        lambda: client.views_update(view_id=opened["id"], hash=opened["hash"], view=a_form())
    ) == ("hash_conflict")
    assert refusal(lambda: client.views_update(view_id="V0", view=a_form())) == "not_found"


def test_what_was_typed_survives_an_update_that_keeps_the_field(
    client: WebClient, trigger: Callable[[], str], workspace: Workspace
) -> None:
    rita = workspace.person("rita")
    opened = client.views_open(trigger_id=trigger(), view=a_form())["view"]
    rita.fill({"Order": "ord_8841"})
    client.views_update(view_id=opened["id"], view=a_form(an_input(), an_input("reason")))

    assert rita.wait_for_view("Reason").values == {
        "order": {"value": {"type": "plain_text_input", "value": "ord_8841"}},
        "reason": {"value": {"type": "plain_text_input", "value": None}},
    }


def test_an_external_id_names_one_view_at_a_time(
    client: WebClient, trigger: Callable[[], str]
) -> None:
    client.views_open(trigger_id=trigger(), view=a_form(external_id="form-1"))
    again = trigger()

    assert refusal(
        lambda: client.views_open(trigger_id=again, view=a_form(external_id="form-1"))
    ) == ("duplicate_external_id")
    assert client.views_update(external_id="form-1", view=a_form(external_id="form-1"))["ok"]


def test_three_modals_stack_up_and_a_fourth_is_refused(
    app: App, client: WebClient, trigger: Callable[[], str], workspace: Workspace
) -> None:
    errors: list[str] = []

    @app.action("deeper")
    def on_deeper(ack: Ack, body: Json) -> None:
        try:
            deeper = a_form(a_section_with_button(), title="Deeper")
            client.views_push(trigger_id=body["trigger_id"], view=deeper)
        except SlackApiError as problem:
            errors.append(problem.response["error"])
        ack()

    rita = workspace.person("rita")
    client.views_open(trigger_id=trigger(), view=a_form(a_section_with_button(), title="First"))
    for _ in range(3):
        rita.click("Deeper")
    rita.close_view()
    rita.close_view()

    assert errors == ["push_limit_reached"]
    assert rita.wait_for_view("First").title == "First"


def a_section_with_button() -> Json:
    button = {"type": "button", "action_id": "deeper", "text": plain("Deeper")}
    return {"type": "section", "text": plain("More below"), "accessory": button}


def submitted(app: App, **answer: object) -> None:
    @app.view("run.start")
    def on_submit(ack: Ack) -> None:
        ack(**answer)  # type: ignore[arg-type]


@pytest.fixture
def form(client: WebClient, trigger: Callable[[], str]) -> Callable[..., None]:
    def show(*blocks: Json, **more: object) -> None:
        client.views_open(trigger_id=trigger(), view=a_form(*blocks, **more))  # type: ignore[arg-type]

    return show


def test_errors_stand_beside_their_fields_and_the_form_stays(
    app: App, form: Callable[..., None], workspace: Workspace
) -> None:
    submitted(app, response_action="errors", errors={"order": "There is no such order"})
    form()
    rita = workspace.person("rita")
    rita.submit({"Order": "ord_1"})

    assert rita.view is not None
    assert rita.view.hints == {"Order": "There is no such order"}


def test_errors_for_a_field_that_is_not_there_are_trouble(
    app: App, form: Callable[..., None], workspace: Workspace, server: SandboxServer
) -> None:
    submitted(app, response_action="errors", errors={"amount": "Too much"})
    form()
    rita = workspace.person("rita")
    rita.submit({"Order": "ord_1"})

    assert rita.view is not None
    assert rita.view.trouble == "We had some trouble connecting. Try again?"
    assert "invalid_errors" in server.recorder.faults[0].what


def test_an_answer_may_replace_the_form(
    app: App, form: Callable[..., None], workspace: Workspace
) -> None:
    submitted(app, response_action="update", view=a_form(title="Asked"))
    form()
    rita = workspace.person("rita")
    rita.submit({"Order": "ord_1"})

    assert rita.wait_for_view("Asked").title == "Asked"


def test_an_answer_may_put_a_form_on_top_and_later_clear_both(
    app: App, form: Callable[..., None], workspace: Workspace
) -> None:
    submitted(app, response_action="push", view=a_form(title="Code", callback_id="code"))

    @app.view("code")
    def on_code(ack: Ack) -> None:
        ack(response_action="clear")

    form()
    rita = workspace.person("rita")
    rita.submit({"Order": "ord_1"})
    on_top = rita.wait_for_view("Code")
    rita.submit({"Order": "123456"})

    assert on_top.title == "Code"
    assert rita.view is None


def test_a_client_holds_back_a_form_with_missing_or_overlong_values(
    app: App, form: Callable[..., None], workspace: Workspace, server: SandboxServer
) -> None:
    submitted(app)
    note = an_input("note")
    form(an_input(max_length=8), an_input("reason", min_length=3), {**note, "optional": True})
    rita = workspace.person("rita")
    with pytest.raises(NotPossibleError) as caught:
        rita.submit({"Order": "ord_884188"})
    with pytest.raises(NotPossibleError):
        rita.submit({"Order": "ord_1", "Reason": "no"})
    rita.submit({"Reason": "broken"})

    assert caught.value.fields == {
        "order": "Please enter at most 8 characters.",
        "reason": "Please complete this required field.",
    }
    assert len(server.recorder.deliveries("view_submission")) == 1
    assert rita.view is None


def test_every_kind_of_field_reports_its_value_as_slack_does(
    app: App, form: Callable[..., None], workspace: Workspace
) -> None:
    values: list[Json] = []

    @app.view("run.start")
    def on_submit(ack: Ack, view: Json) -> None:
        values.append(view["state"]["values"])
        ack()

    option = {"text": plain("Production"), "value": "prod"}
    kinds: dict[str, Json] = {
        "where": {"type": "static_select", "options": [option]},
        "who": {"type": "users_select"},
        "room": {"type": "channels_select"},
        "day": {"type": "datepicker"},
        "amount": {"type": "number_input", "is_decimal_allowed": False, "max_value": "500"},
        "sure": {"type": "checkboxes", "options": [option]},
    }
    form(
        *(
            {
                "type": "input",
                "block_id": name,
                "label": plain(name),
                "element": {"action_id": "value", **element},
            }
            for name, element in kinds.items()
        )
    )
    workspace.person("rita").submit(
        {
            "where": "Production",
            "who": "ana",
            "room": "#ops",
            "day": "2026-03-29",
            "amount": 120,
            "sure": ["prod"],
        }
    )

    found = {name: fields["value"] for name, fields in values[0].items()}
    assert found == {
        "where": {"type": "static_select", "selected_option": option},
        "who": {"type": "users_select", "selected_user": "U0ANA"},
        "room": {"type": "channels_select", "selected_channel": "C0OPS"},
        "day": {"type": "datepicker", "selected_date": "2026-03-29"},
        "amount": {"type": "number_input", "value": "120"},
        "sure": {"type": "checkboxes", "selected_options": [option]},
    }


def test_an_external_select_offers_what_the_app_finds(
    app: App, form: Callable[..., None], workspace: Workspace
) -> None:
    @app.options("order.find")
    def on_options(ack: Ack, payload: Json) -> None:
        ack(options=[{"text": plain(f"{payload['value']}41"), "value": "ord_8841"}])

    submitted(app)
    element = {"type": "external_select", "action_id": "order.find", "min_query_length": 2}
    form({"type": "input", "block_id": "order", "label": plain("Order"), "element": element})
    rita = workspace.person("rita")
    found = rita.search("Order", "88")
    sent = rita.submit({"Order": found[0]})

    assert [one["text"]["text"] for one in found] == ["8841"]
    chosen = sent.payload["view"]["state"]["values"]["order"]["order.find"]["selected_option"]
    assert chosen["value"] == "ord_8841"


@pytest.mark.parametrize(
    "options", [[{"text": plain("x" * 76), "value": "x"}], [{"text": plain("No value")}]]
)
def test_choices_that_slack_would_not_show_are_none_and_a_fault_of_the_app(
    options: list[Json],
    app: App,
    form: Callable[..., None],
    workspace: Workspace,
    server: SandboxServer,
) -> None:
    app.options("order.find")(lambda ack: ack(options=options))
    element = {"type": "external_select", "action_id": "order.find"}
    form({"type": "input", "block_id": "order", "label": plain("Order"), "element": element})

    assert workspace.person("rita").search("Order", "") == []
    assert [one.where for one in server.recorder.faults] == ["block_suggestion"]


def test_closing_is_told_only_to_an_app_that_asked(
    app: App, form: Callable[..., None], workspace: Workspace, server: SandboxServer
) -> None:
    @app.view_closed("run.start")
    def on_closed(ack: Ack) -> None:
        ack()

    form()
    rita = workspace.person("rita")
    silent = rita.close_view()
    form(notify_on_close=True)
    told = rita.close_view()

    assert silent is None
    assert told is not None
    assert told.acked
    assert len(server.recorder.deliveries("view_closed")) == 1


def test_home_is_published_per_person_and_guarded_by_its_hash(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    def a_home(text: str) -> Json:
        return {"type": "home", "blocks": [{"type": "section", "text": plain(text)}]}

    @app.event("app_home_opened")
    def on_opened(event: Json) -> None:
        client.views_publish(user_id=event["user"], view=a_home("Waiting for you: 1"))

    connect()
    ana = workspace.person("ana")
    ana.open_home()
    first = ana.wait_for_home("Waiting for you")
    client.views_publish(user_id="U0ANA", hash=first.hash, view=a_home("Nothing waits"))

    assert ana.wait_for_home("Nothing waits").id == first.id
    assert workspace.person("ben").home is None
    assert refusal(
        lambda: client.views_publish(user_id="U0ANA", hash=first.hash, view=a_home("x"))
    ) == ("hash_conflict")


@pytest.mark.parametrize("settings", [SandboxSettings(app=AppSettings(has_home=False))])
def test_an_app_without_a_home_tab_publishes_none(client: WebClient, workspace: Workspace) -> None:
    view = {"type": "home", "blocks": [{"type": "section", "text": plain("Waiting")}]}

    assert refusal(lambda: client.views_publish(user_id="U0ANA", view=view)) == "not_enabled"
    with pytest.raises(NotPossibleError, match="no Home"):
        workspace.person("ana").open_home()


def test_a_button_on_home_is_clicked_as_it_stands_or_as_it_once_stood(
    client: WebClient, workspace: Workspace
) -> None:
    def a_home(label: str) -> Json:
        button = {"type": "button", "text": plain(label), "action_id": label, "value": label}
        return {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}

    ana = workspace.person("ana")
    client.views_publish(user_id="U0ANA", view=a_home("One"))
    before = ana.home
    client.views_publish(user_id="U0ANA", view=a_home("Two"))

    assert before is not None
    with pytest.raises(NotPossibleError, match="0 things called 'One'"):
        ana.click("One", home=before)
    stale = ana.click("One", home=before, stale=True, wait=False)
    fresh = ana.click("Two", home=before, wait=False)
    assert [one.payload["actions"][0]["value"] for one in (stale, fresh)] == ["One", "Two"]
    assert fresh.payload["view"]["type"] == "home"


def test_a_page_that_is_behind_clicks_what_home_showed_by_its_block(
    client: WebClient, workspace: Workspace
) -> None:
    def a_home(label: str) -> Json:
        button = {"type": "button", "text": plain(label), "action_id": label, "value": label}
        return {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}

    ana = workspace.person("ana")
    client.views_publish(user_id="U0ANA", view=a_home("One"))
    assert ana.home is not None
    block = ana.home.blocks[0]["block_id"]
    client.views_publish(user_id="U0ANA", view=a_home("Two"))

    click = ana.click("One", block_id=block, wait=False)
    assert click.payload["actions"][0]["value"] == "One"
    with pytest.raises(NotPossibleError, match="nothing of that kind"):
        ana.click("One", block_id="another", wait=False)
    with pytest.raises(NotPossibleError, match="nothing of that kind"):
        ana.click("One", wait=False)
