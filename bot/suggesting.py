"""Answers what somebody types into a searched field: words, user groups, what a service offers.

Slack waits three seconds and can show no reason, so whatever cannot be read is an empty list;
the field's hint says what that means. What a service answered is kept for a moment, since each
letter asks again.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from slack_sdk.models.blocks import Option

from bot import limits
from bot.answering import asked_fields
from bot.changing import changed_fields
from bot.desk import Desk
from bot.form_choices import choice, every_option
from bot.forms import Asks, FormState
from bot.payloads import Interaction, UnreadablePayloadError
from bot.permitted import may_start
from bot.schedule_draft import ScheduleDraft
from bot.views.change_form import CHANGE_FORM
from bot.views.question_card import ANSWER_FORM
from bot.views.schedules import SCHEDULE_FORM
from workflows.choosing import Choice, matching
from workflows.definition_inputs import EnumInput, GroupInput, Input, ListInput, TextInput
from workflows.definition_options import Options
from workflows.errors import InterlockError
from workflows.template import has_expression

KEPT_SECONDS = 20.0
MOST_KEPT = 200
MOST_TYPED = 100

log = logging.getLogger(__name__)


class Shelf:
    """What services answered a moment ago. Safe to share between threads."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._guard = threading.Lock()
        self._kept: OrderedDict[object, tuple[float, Sequence[Choice]]] = OrderedDict()

    def get(self, key: object, read: Callable[[], Sequence[Choice]]) -> Sequence[Choice]:
        """Return what is kept under `key`, or else what `read` gives; what it raises, passes."""
        with self._guard:
            at, found = self._kept.get(key, (float("-inf"), ()))
        if self._ticks() - at <= KEPT_SECONDS:
            return found
        found = read()
        with self._guard:
            self._kept[key] = self._ticks(), found
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggesting:
    """The listeners' part in searched fields."""

    desk: Desk
    shelf: Shelf = field(default_factory=Shelf)

    def options(self, body: Mapping[str, Any], asking: Interaction) -> list[Option]:
        """Return the choices for what was typed; none where they cannot be read."""
        typed = str(body.get("value") or "")[:MOST_TYPED]
        name = str(body.get("block_id") or "").partition(".")[0]
        try:
            asks = self._asks(asking)
            spec = asks.inputs.get(name)
            inner = spec.of if isinstance(spec, ListInput) else spec
            found = self._choices((asks.version, name), inner, typed)
        except InterlockError as error:
            kind = type(error).__name__
            log.info("no choices for a field", extra={"field": name, "refusal": kind})
            return []
        return list(islice(found, limits.OPTIONS))

    def _choices(self, key: tuple[str, str], spec: Input | None, typed: str) -> Iterator[Option]:
        if isinstance(spec, EnumInput):
            return _those_with(typed, spec)
        if isinstance(spec, GroupInput):
            return _as_options(matching(self._groups(), typed))
        if isinstance(spec, TextInput) and spec.options is not None:
            return _as_options(self._offered(key, spec.options, typed))
        return iter(())

    def _groups(self) -> list[Choice]:
        every = self.desk.directory.every_group()
        return [
            Choice(value=one.id, label=f"@{one.handle}") for one in every if not one.is_disabled
        ]

    def _offered(self, key: tuple[str, str], options: Options, typed: str) -> Iterable[Choice]:
        """Return what the service offers; one that does not search by itself is searched here."""
        searches = has_expression(options.arguments)
        said = typed if searches else ""
        found = self.shelf.get((*key, said), lambda: self.desk.engine.offered(options, said))
        return found if searches else matching(found, typed)

    def _asks(self, asking: Interaction) -> Asks:
        """Return whose fields are searched, for somebody who may fill them in.

        Raises:
            InterlockError: nobody's, or not by this person.
        """
        view, person = asking.sent, asking.caller.person
        if view.callback_id == ANSWER_FORM:
            return asked_fields(self.desk, view.private_metadata, person)
        if view.callback_id == CHANGE_FORM:
            return changed_fields(self.desk, view.private_metadata, person)
        form = _form_of(view.callback_id, view.private_metadata)
        definition = self.desk.library.version(form.version)
        if not may_start(self.desk, person, definition):
            raise UnreadablePayloadError("This form is not for this person.")
        return definition


def _form_of(callback_id: str, metadata: str) -> FormState:
    if callback_id == SCHEDULE_FORM:
        return ScheduleDraft.read(metadata).form
    try:
        return FormState.read(metadata)
    except ValueError as error:
        raise UnreadablePayloadError("This form is not one of ours.") from error


def _those_with(typed: str, spec: EnumInput) -> Iterator[Option]:
    wanted = typed.strip().casefold()
    for word, option in zip(spec.choices, every_option(spec), strict=True):
        if wanted in word.casefold():
            yield option


def _as_options(choices: Iterable[Choice]) -> Iterator[Option]:
    for one in choices:
        option = choice(one.value, one.label)
        if option is not None:
            yield option
