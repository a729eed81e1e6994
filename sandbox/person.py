"""A person in front of Slack: types, clicks, fills in forms, and looks.

Gestures return the delivery they caused, by default once the app has acknowledged it or
three seconds have passed; `wait=False` returns at once, for two clicks at one instant. What
no person could do raises `NotPossibleError`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox import answers, events, forms, posting
from sandbox.delivery import payloads
from sandbox.delivery.envelope import Delivery, DeliveryKind
from sandbox.errors import NotPossibleError
from sandbox.looking import Looking
from sandbox.loose import Json, Unchecked
from sandbox.records import Channel, Ephemeral, Message, User, View
from sandbox.screens import close_all, close_top, top_view
from sandbox.seen import SeenMessage, SeenView, find_element, seen_message
from sandbox.wire import view_object
from sandbox.words import as_stored

After = Callable[[Delivery], None]


class Person(Looking):
    """One person's hands; `Looking` is their eyes."""

    def command(self, typed: str, *, channel: str = "#ops", wait: bool = True) -> Delivery:
        """Type a slash command in a channel or, as `@name`, in a direct message."""
        name, _, text = typed.strip().partition(" ")
        with self._hub.state.lock:
            me, place = self._active(), self._place(channel)
            if me.is_stranger or name not in self._hub.app.commands:
                raise NotPossibleError(f"{name} is not a valid command.")
            if self._hub.app.commands[name]:
                text = as_stored(self._hub.state, text.strip(), with_names=True)
            payload = payloads.command_payload(
                self._hub, me, place, command=name, text=text.strip()
            )
            after = answers.after_command(self._hub, place)
            delivery = self._deliver("slash_commands", payload, after)
        return self._settled(delivery, wait=wait)

    def goes_to(self, team: str) -> None:
        """Look at another workspace of the organisation from now on."""
        with self._hub.state.lock:
            if team not in self.user.teams:
                raise NotPossibleError(f"{self.name} does not belong to {team}")
            self.user.team = team

    def say(
        self, typed: str, *, channel: str = "#ops", thread: SeenMessage | None = None
    ) -> SeenMessage:
        """Post a message; in a thread a slash command is only text."""
        with self._hub.state.lock:
            me, place = self._active(), self._place(thread.channel if thread else channel)
            if typed.startswith("/") and thread is None:
                raise NotPossibleError("Slack takes this for a command; use command().")
            message = Message(
                ts=self._hub.state.next_ts(),
                channel=place.id,
                user=me.id,
                text=as_stored(self._hub.state, typed),
                thread_ts=(thread.thread_ts or thread.ts) if thread else None,
                client_msg_id=self._hub.state.next_id("", 16),
            )
            return seen_message(self._hub, posting.post(self._hub, place, message))

    def click(
        self,
        what: str,
        *,
        message: SeenMessage | None = None,
        home: SeenView | None = None,
        block_id: str | None = None,
        stale: bool = False,
        confirm: bool = True,
        wait: bool = True,
    ) -> Delivery:
        """Click the button of that label or action id, through its confirm dialog.

        Without `message` or `home` the open modal is searched first, then what the person sees,
        newest first, then Home. `confirm=False` backs out of the dialog: nothing is delivered.
        `stale=True` clicks what `message` or `home` showed although it may be gone by now.
        """
        with self._hub.state.lock:
            me = self._active()
            if home is not None:
                where, element = self._find_on_home(what, home, block_id=block_id, stale=stale)
            else:
                where, element = self._find(what, message, block_id=block_id, stale=stale)
            if element.get("confirm") and not confirm:
                return self._cancelled()
            delivery = self._click(me, where, element)
        return self._settled(delivery, wait=wait)

    def choose(
        self, what: str, value: Unchecked, *, message: SeenMessage | None = None, wait: bool = True
    ) -> Delivery:
        """Choose from a menu or picker that is not an input: the app is told at once."""
        with self._hub.state.lock:
            me = self._active()
            where, element = self._find_menu(what, message)
            state = forms.value_for(self._hub, element, value, user=self.id)
            if isinstance(where, View):
                where.values.setdefault(element["block_id"], {})[element["action_id"]] = state
            delivery = self._click(me, where, element | state)
        return self._settled(delivery, wait=wait)

    def search(self, what: str, typed: str, *, message: SeenMessage | None = None) -> list[Json]:
        """Type into an external select and return the choices the app offers."""
        with self._hub.state.lock:
            me = self._active()
            where, element = self._find_menu(what, message)
            place: Json = {"container": {"type": "view"}, "view": None}
            if isinstance(where, View):
                place["view"] = view_object(self._hub.state, where)
                place["container"]["view_id"] = where.id
            else:
                container = {"type": "message", "message_ts": where.ts}
                place = {"container": container, "channel": {"id": where.channel}}
            payload = payloads.suggestion(self._hub, me, place=place, element=element, typed=typed)
            delivery = self._deliver("interactive", payload, None)
        return answers.offered(self._hub, self._settled(delivery, wait=True))

    def fill(self, fields: Mapping[str, Any]) -> None:
        """Fill in fields of the open modal, by label, block id or action id."""
        told: list[Delivery] = []
        with self._hub.state.lock:
            me, view = self._active(), self._open_view()
            for name, value in fields.items():
                block, element = forms.find_field(view.content["blocks"], name)
                state = forms.value_for(self._hub, element, value, user=self.id)
                view.values.setdefault(block["block_id"], {})[element["action_id"]] = state
                if block["type"] != "input" or block.get("dispatch_action"):
                    told.append(self._click(me, view, element | state))
            self._hub.state.changed("view_changed", user=self.id, view=view.id)
        for delivery in told:
            self._settled(delivery, wait=True)

    def submit(self, fields: Mapping[str, Any] | None = None, *, wait: bool = True) -> Delivery:
        """Fill in the rest and press the modal's submit button.

        Raises:
            NotPossibleError: the client holds the form back; `fields` says why, per block.
        """
        self.fill(fields or {})
        with self._hub.state.lock:
            me, view = self._active(), self._open_view()
            if "submit" not in view.content:
                raise NotPossibleError("this modal has nothing to submit")
            view.errors, view.trouble = forms.mistakes(view), None
            if view.errors:
                self._hub.state.changed("view_changed", user=self.id, view=view.id)
                raise NotPossibleError(f"held back: {view.errors}", fields=view.errors)
            payload = payloads.submission(self._hub, me, view=view)
            after = answers.after_submission(self._hub, view.id)
            delivery = self._deliver("interactive", payload, after)
        return self._settled(delivery, wait=wait)

    def close_view(self, *, everything: bool = False, wait: bool = True) -> Delivery | None:
        """Close the modal in front, or all; the app hears of it only if it asked to."""
        with self._hub.state.lock:
            me, view = self._active(), self._open_view()
            clears = everything or bool(view.content.get("clear_on_close"))
            close_all(self._hub, self.id) if clears else close_top(self._hub, self.id)
            if not view.content.get("notify_on_close"):
                return None
            payload = payloads.closed(self._hub, me, view=view, cleared=clears)
            delivery = self._deliver("interactive", payload, None)
        return self._settled(delivery, wait=wait)

    def shortcut(
        self, callback_id: str, *, message: SeenMessage | None = None, wait: bool = True
    ) -> Delivery:
        """Use a message shortcut, without `message` a global one."""
        kind = "message" if message else "global"
        known = self._hub.app.shortcuts
        if known is not None and known.get(callback_id) != kind:
            raise NotPossibleError(f"no {kind} shortcut {callback_id}; there are {known}")
        with self._hub.state.lock:
            me = self._active()
            if message is None:
                payload = payloads.global_shortcut(self._hub, me, callback_id=callback_id)
            else:
                place = self._place(message.channel)
                payload = payloads.message_shortcut(
                    self._hub,
                    me,
                    callback_id=callback_id,
                    channel=place,
                    message=self._hub.state.message(place.id, message.ts),
                )
            delivery = self._deliver("interactive", payload, answers.after_shortcut(self._hub))
        return self._settled(delivery, wait=wait)

    def open_home(self, *, tab: str = "home") -> None:
        """Look at the app's Home, or with `tab="messages"` at its messages."""
        if tab == "home" and not self._hub.app.has_home:
            raise NotPossibleError("this app has no Home tab")
        with self._hub.state.lock:
            me = self._active()
            shown = self._hub.state.views.get(me.home) if me.home else None
            events.home_opened(
                self._hub,
                me,
                tab=tab,
                channel=self._hub.state.direct(self._hub.state.bot, me.id).id,
                view=view_object(self._hub.state, shown) if shown else None,
            )

    def delete(self, message: SeenMessage) -> None:
        """Delete a message: one's own, or as an admin any."""
        with self._hub.state.lock:
            me, place = self._active(), self._place(message.channel)
            found = self._hub.state.message(place.id, message.ts)
            if found.user != me.id and not me.is_admin:
                raise NotPossibleError("only its author or an admin can delete a message")
            posting.delete(self._hub, place, found)

    def _find(
        self, what: str, message: SeenMessage | None, *, block_id: str | None, stale: bool
    ) -> tuple[Message | Ephemeral | View, Json]:
        if message is None:
            behind = block_id is not None  # A page names what it shows, which may be gone by now.
            return self._search_everywhere(
                lambda one: find_element(one, what, block_id), behind=behind
            )
        if stale:
            return self._as_it_was(message), find_element(message.blocks, what, block_id)
        where = self._present(message)
        return where, find_element(tuple(where.blocks), what, block_id)

    def _find_on_home(
        self, what: str, home: SeenView, *, block_id: str | None, stale: bool
    ) -> tuple[Message | Ephemeral | View, Json]:
        shown = self._hub.state.views.get(self.user.home or "")
        if shown is None or shown.id != home.id or top_view(self._hub, self.id) is not None:
            raise NotPossibleError(f"{self.name} does not see that Home")
        blocks = home.blocks if stale else tuple(shown.content["blocks"])
        return shown, find_element(blocks, what, block_id)

    def _find_menu(
        self, what: str, message: SeenMessage | None
    ) -> tuple[Message | Ephemeral | View, Json]:
        if message is None:
            return self._search_everywhere(lambda one: forms.find_field(list(one), what)[1])
        where = self._present(message)
        return where, forms.find_field(where.blocks, what)[1]

    def _click(self, me: User, where: Message | Ephemeral | View, element: Json) -> Delivery:
        action = _action(element)
        if isinstance(where, View):
            payload = payloads.click_in_view(self._hub, me, view=where, action=action)
            after = answers.after_click(self._hub, {"action_id": action["action_id"]})
            return self._deliver("interactive", payload, after)
        payload = payloads.click_on_message(
            self._hub,
            me,
            channel=self._hub.state.channels[where.channel],
            about=where,
            action=action,
            values={},
        )
        place = {"channel": where.channel, "message_ts": where.ts}
        after = answers.after_click(self._hub, {**place, "action_id": action["action_id"]})
        return self._deliver("interactive", payload, after)

    def _deliver(self, kind: DeliveryKind, payload: Json, after: After | None) -> Delivery:
        state = self._hub.state
        if not state.installed:
            raise NotPossibleError("The app is not installed here.")
        delivery = Delivery(
            id=state.next_id("", 24).lower(),
            kind=kind,
            type=str(payload.get("type", kind)),
            payload=payload,
            at=state.now(),
            user=self.id,
            after=after,
        )
        return self._hub.courier.deliver(delivery)

    def _settled(self, delivery: Delivery, *, wait: bool) -> Delivery:
        if wait:
            patience = self._hub.settings.ack_seconds + 10
            self._hub.state.wait(lambda: delivery.settled, timeout=patience, what=delivery.type)
        return delivery

    def _cancelled(self) -> Delivery:
        state = self._hub.state
        return Delivery(
            id=state.next_id("", 24).lower(),
            kind="interactive",
            type="block_actions",
            payload={},
            at=state.now(),
            user=self.id,
            outcome="cancelled",
        )

    def _open_view(self) -> View:
        view = top_view(self._hub, self.id)
        if view is None:
            raise NotPossibleError(f"{self.name} has no modal open")
        return view

    def _place(self, name: str) -> Channel:
        channel = self._channel(name)
        if self.id not in channel.members:
            raise NotPossibleError(f"{self.name} is not in {name}")
        if channel.archived:
            raise NotPossibleError(f"{name} is archived")
        return channel


def _action(element: Json) -> Json:
    """Return the part of an element that a payload repeats."""
    hidden = {"confirm", "options", "option_groups", "focus_on_load", "url", "accessibility_label"}
    made = {name: value for name, value in element.items() if name not in hidden}
    return {"action_id": "", "block_id": "", **made}
