"""A small Bolt app for the page to talk to: forms, cards, charts, whispers and a Home."""

import threading
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from tests.sandbox.patience import PATIENCE

FORM_ORDER, FORM_AMOUNT = "order", "amount"
PEOPLE_WORDS = ("Apples", "Apricots", "Pears")


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(label: str, action_id: str, **more: object) -> dict[str, Any]:
    return {"type": "button", "text": plain(label), "action_id": action_id, "value": "v", **more}


def field(block_id: str, label: str, element: dict[str, Any], **more: object) -> dict[str, Any]:
    made = {"action_id": "field", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": made, **more}


def options(*words: str) -> list[dict[str, Any]]:
    return [{"text": plain(word), "value": word.lower()} for word in words]


def modal(title: str, blocks: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    return {"type": "modal", "title": plain(title), "blocks": blocks, **more}


def refund_form() -> dict[str, Any]:
    text, number = {"type": "plain_text_input"}, {"type": "number_input"}
    return modal(
        "Refund",
        [
            field(FORM_ORDER, "Order", text, hint=plain("It looks like ord_1042")),
            field(FORM_AMOUNT, "Amount", {**number, "is_decimal_allowed": False}),
            {"type": "actions", "block_id": "more", "elements": [button("Look it up", "more")]},
        ],
        callback_id="refund",
        submit=plain("Run"),
        close=plain("Cancel"),
    )


def everything_form() -> dict[str, Any]:
    choices = options("Red", "Green", "Blue")
    long_text = {"type": "plain_text_input", "multiline": True}
    fruit = {"type": "external_select", "min_query_length": 1, "action_id": "fruit"}
    return modal(
        "Everything",
        [
            field("words", "Words", long_text),
            field("menu", "Menu", {"type": "static_select", "options": choices}),
            field("menus", "Menus", {"type": "multi_static_select", "options": choices}),
            field("radio", "Radio", {"type": "radio_buttons", "options": choices}),
            field("boxes", "Boxes", {"type": "checkboxes", "options": choices}),
            field("day", "Day", {"type": "datepicker"}),
            field("hour", "Hour", {"type": "timepicker"}),
            field("who", "Who", {"type": "users_select"}),
            field("where", "Where", {"type": "conversations_select"}),
            field("mail", "Mail", {"type": "email_text_input"}, optional=True),
            field("fruit", "Fruit", fruit),
            field("paper", "Paper", {"type": "file_input", "max_files": 1, "filetypes": ["csv"]}),
        ],
        callback_id="everything",
        submit=plain("Send"),
    )


def card() -> list[dict[str, Any]]:
    sure = {"title": plain("Sure?"), "text": plain("It is gone."), "confirm": plain("Delete it")}
    return [
        {"type": "header", "text": plain("Refund order 1042")},
        {
            "type": "actions",
            "block_id": "card",
            "elements": [
                button("Approve", "approve", style="primary"),
                button("Delete", "delete", style="danger", confirm={**sure, "deny": plain("Back")}),
                button("Why?", "why"),
                button("Broken", "broken"),
            ],
        },
    ]


def opener(words: str) -> list[dict[str, Any]]:
    return [
        {"type": "section", "text": plain(words)},
        {"type": "actions", "block_id": "opener", "elements": [button("Open the form", "open")]},
    ]


class Office:
    """The listeners, and what reached them."""

    def __init__(self, app: App) -> None:
        self.values: list[dict[str, Any]] = []
        self.clicks: list[str] = []
        self.opener: object = None
        self.was_asked_to_delete = threading.Event()
        self.never = threading.Event()  # Set when a test ends, so that no listener outlives it.
        app.command("/ops")(self.on_command)
        app.view("refund")(self.on_refund)
        app.view("everything")(self.on_everything)
        app.options("fruit")(self.on_search)
        app.action("open")(self.on_open)
        app.action("approve")(self.on_approve)
        app.action("delete")(self.on_delete)
        app.action("why")(self.on_why)
        app.action("more")(self.on_more)
        app.action("broken")(self.on_broken)
        app.event("app_home_opened")(self.on_home)
        app.shortcut("message.find")(self.on_shortcut)

    def on_command(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        word = body["text"]
        if word == "sleep":
            self.never.wait(PATIENCE)
        elif word == "form":
            client.views_open(trigger_id=body["trigger_id"], view=refund_form())
        elif word == "everything":
            client.views_open(trigger_id=body["trigger_id"], view=everything_form())
        elif word == "modal card":
            self.post_opener(client, body["channel_id"])
        elif word == "card":
            client.chat_postMessage(channel=body["channel_id"], text="A card", blocks=card())
        else:
            ack(f"You said {word}")
            return
        ack()

    def post_opener(self, client: WebClient, channel: str) -> None:
        """Post a card whose button opens the form."""
        blocks = opener("A card")
        self.opener = client.chat_postMessage(channel=channel, text="A card", blocks=blocks).data

    def redraws(self, client: WebClient, words: str) -> None:
        """Change that card, as others do while somebody fills in the form."""
        assert isinstance(self.opener, dict)
        place = {"channel": self.opener["channel"], "ts": self.opener["ts"]}
        client.chat_update(**place, text=words, blocks=opener(words))

    def on_open(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=refund_form())
        ack()

    def on_refund(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        values = body["view"]["state"]["values"]
        order = values[FORM_ORDER]["field"]["value"]
        if not order.startswith("ord_"):
            ack(response_action="errors", errors={FORM_ORDER: "An order starts with ord_."})
            return
        amount, who = values[FORM_AMOUNT]["field"]["value"], body["user"]["id"]
        ack()
        client.chat_postMessage(channel="C0OPS", text=f"<@{who}> refunds {amount} for {order}")

    def on_everything(self, ack: Ack, body: dict[str, Any]) -> None:
        self.values.append(body["view"]["state"]["values"])
        ack()

    def on_search(self, ack: Ack, body: dict[str, Any]) -> None:
        typed = body["value"].casefold()
        found = [one for one in PEOPLE_WORDS if one.casefold().startswith(typed)]
        ack(options=options(*found))

    def on_approve(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        self.clicks.append("approve")
        ack()
        text = f"Approved by <@{body['user']['id']}>"
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
        ts = body["container"]["message_ts"]
        client.chat_update(channel=body["channel"]["id"], ts=ts, text=text, blocks=blocks)

    def on_delete(self, ack: Ack) -> None:
        self.clicks.append("delete")
        self.was_asked_to_delete.set()
        ack()

    def on_why(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.chat_postEphemeral(
            channel=body["channel"]["id"], user=body["user"]["id"], text="Because you asked."
        )

    def on_more(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        self.values.append(body["view"]["state"]["values"])
        text = {"type": "mrkdwn", "text": "Nothing is known of it."}
        view = modal("What is known", [{"type": "section", "text": text}])
        client.views_push(trigger_id=body["trigger_id"], view=view)
        ack()

    def on_shortcut(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        text = f"Looking for: {body['message']['text']}"
        channel = body["channel"]["id"]
        client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text=text)

    def on_broken(self, ack: Ack) -> None:
        self.never.wait(PATIENCE)
        ack()

    def on_home(self, ack: Ack, event: dict[str, Any], client: WebClient) -> None:
        ack()
        blocks = [{"type": "header", "text": plain("Waiting for you")}]
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})
