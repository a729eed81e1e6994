"""What values name, looked up in a Slack over HTTP: by name or id, or why it cannot be used."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from bot.directory import Directory
from bot.hurry import asking_at_most
from bot.references import SlackReferences, references_of
from bot.slack_client import SlackClient
from sandbox import faults as fault
from sandbox.server import SandboxServer
from workflows.errors import PeopleUnreadableError
from workflows.references import Reference

Look: TypeAlias = Callable[[SlackReferences], Reference]

LOOKS: dict[str, Look] = {
    "users.list": lambda known: known.user("@ana"),
    "users.info": lambda known: known.user("U0ANA"),
    "usergroups.list": lambda known: known.group("@support"),
    "conversations.list": lambda known: known.channel("#ops"),
    "conversations.info": lambda known: known.channel("C0OPS"),
    "files.info": lambda known: known.file("F0123"),
}


@pytest.fixture
def known(client: SlackClient) -> SlackReferences:
    return references_of(client, Directory(client, team="T0ACME"))


@pytest.mark.parametrize("named", ["@ana", "U0ANA"])
def test_a_person_is_found_by_name_and_by_id(known: SlackReferences, named: str) -> None:
    assert known.user(named) == Reference(id="U0ANA", name="ana")


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("@zoe", "called @zoe"),
        ("U0ZOE", "knows no such person"),
        ("U0DEX", "deactivated"),
        ("U0CONNIE", "of another workspace"),
        ("U0INTERLOCK", "a bot"),
    ],
)
def test_who_cannot_be_meant_is_refused(known: SlackReferences, named: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        known.user(named)


def test_a_guest_is_somebody_a_value_may_name(known: SlackReferences) -> None:
    assert known.user("@gil").id == "U0GIL"


@pytest.mark.parametrize("named", ["@support", "S0SUPPORT"])
def test_a_group_is_found_by_handle_and_by_id(known: SlackReferences, named: str) -> None:
    assert known.group(named) == Reference(id="S0SUPPORT", name="support")


def test_a_group_that_is_not_in_use_is_refused(
    server: SandboxServer, known: SlackReferences
) -> None:
    server.workspace.disable_group("support")

    with pytest.raises(ValueError, match="disabled"):
        known.group("@support")
    with pytest.raises(ValueError, match="no user group @ana"):
        known.group("@ana")


@pytest.mark.parametrize("named", ["#ops", "C0OPS"])
def test_a_channel_is_found_by_name_and_by_id(known: SlackReferences, named: str) -> None:
    assert known.channel(named) == Reference(id="C0OPS", name="ops")


def test_a_channel_nobody_can_write_in_is_refused(
    server: SandboxServer, known: SlackReferences
) -> None:
    server.workspace.archive("#ops")

    with pytest.raises(ValueError, match="archived"):
        known.channel("C0OPS")
    with pytest.raises(ValueError, match="invite me"):
        known.channel("#nowhere")


def test_a_file_that_was_never_shown_to_us_is_refused(known: SlackReferences) -> None:
    with pytest.raises(ValueError, match="cannot see"):
        known.file("F0123")


@pytest.mark.parametrize("method", LOOKS)
def test_a_slack_that_does_not_answer_says_nothing_about_the_value(
    server: SandboxServer, known: SlackReferences, method: str
) -> None:
    server.faults.next(method, fault.refuse("internal_error"))

    with pytest.raises(PeopleUnreadableError):
        LOOKS[method](known)


@pytest.mark.parametrize("method", LOOKS)
def test_whoever_has_no_time_left_is_told_so_without_asking(
    server: SandboxServer, known: SlackReferences, method: str
) -> None:
    with asking_at_most(0), pytest.raises(PeopleUnreadableError):
        LOOKS[method](known)

    assert server.recorder.calls(method) == []
