"""What starts a workflow by itself: schedules, of its file or set by people, and webhooks.

Only what is written down and whether it can be read; `bot/clock` counts the moments, and what
a delivery gives is for `webhook_mapping`.
"""

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeAlias

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Discriminator, Field, JsonValue, Tag

from workflows.definition_parts import Closed, Condition, Identifier
from workflows.services import Name

# What these zones mean is said by a machine's own files; another one may have none of them.
LOCAL_ZONE = re.compile(r"localtime|posixrules|(posix|right)/.*")


class Missed(StrEnum):
    """What happens to firings that nobody was there for."""

    SKIP = "skip"
    RUN_ONCE = "run_once"
    RUN_ALL = "run_all"


class Overlap(StrEnum):
    """What happens to a firing while the last run still goes on."""

    SKIP = "skip"
    QUEUE = "queue"


def _cron(text: str) -> str:
    if len(re.split(r"\s+", text.strip())) != 5:  # noqa: PLR2004 - cronsim also reads seconds, which nobody should schedule by.
        raise ValueError(
            'write five fields: minute, hour, day, month, weekday, as in "0 9 * * 1-5"'
        )
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f'{error}; write it as in "0 9 * * 1-5"') from error
    except StopIteration:
        raise ValueError("this moment never comes") from None
    return text


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Berlin") from None
    return name


Cron = Annotated[str, AfterValidator(_cron)]
Zone = Annotated[str, AfterValidator(_zone)]


class Trigger(Closed):
    """A schedule: when, in which time zone, with which inputs."""

    cron: Cron
    timezone: Zone = "UTC"
    inputs: dict[Identifier, JsonValue] = Field(default_factory=dict)
    missed: Missed = Missed.SKIP
    overlap: Overlap = Overlap.SKIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One moment. The time zone is that of whoever set it, for telling the time."""

    at: datetime
    timezone: str = "UTC"
    missed: Missed = Missed.SKIP
    overlap: Overlap = Overlap.SKIP


When: TypeAlias = Trigger | Once


class WebhookTrigger(Closed):
    """Deliveries of a webhook that the policy names; `when` says which of them count.

    `inputs` may hold expressions over the delivery's `body` and `headers`.
    """

    webhook: Name
    when: Condition | None = None
    inputs: dict[Identifier, JsonValue] = Field(default_factory=dict)


# Tags stand among the names of a file in Pydantic's faults, so no field is called like them.
_SCHEDULE, _WEBHOOK = "a schedule", "a webhook"


def _trigger_form(value: object) -> str:
    is_webhook = "webhook" in value if isinstance(value, dict) else hasattr(value, "webhook")
    return _WEBHOOK if is_webhook else _SCHEDULE


AnyTrigger: TypeAlias = Annotated[
    Annotated[Trigger, Tag(_SCHEDULE)] | Annotated[WebhookTrigger, Tag(_WEBHOOK)],
    Discriminator(_trigger_form),
]
