"""Files go into a thread once, whatever happens between their upload and the last call."""

from collections.abc import Callable

import pytest

import bot.attaching
from bot.delivery import Attachment
from sandbox import faults as fault
from sandbox.seen import SeenMessage
from tests.bot.speaking.office import Office
from workflows.store import Subject

UPLOAD, SHARE = "files.getUploadURLExternal", "files.completeUploadExternal"
FILES = [
    Attachment(name="week.html", title="As a page", content=b"<p>All of it</p>"),
    Attachment(name="week.json", title="As data", content=b"{}"),
]


class Killed(BaseException):
    """The process ends here, and nothing of ours runs any more."""


@pytest.fixture(autouse=True)
def root(office: Office) -> SeenMessage:
    """Post a digest, and queue its files."""
    office.send(Subject.DIGEST, "d1", "The week", run=None, channel="#ops")
    office.deliver()
    (posted,) = office.server.workspace.messages("#ops")
    office.wordings.files[Subject.DIGEST_FILES, "d1"] = FILES
    office.send(
        Subject.DIGEST_FILES,
        "d1",
        "All of it",
        run=None,
        channel=posted.channel,
        body={"thread": posted.ts},
    )
    return posted


def attached(office: Office, root: SeenMessage) -> list[list[bytes | None]]:
    """Return what stands in the thread: of each message with files their bytes."""
    known = office.server.hub.state.files
    thread = office.server.workspace.messages("#ops", thread=root)
    return [[known[one].content for one in message.files] for message in thread if message.files]


ONCE = [[b"<p>All of it</p>", b"{}"]]


def dies_after(call: Callable[..., object]) -> Callable[..., None]:
    def dying(*arguments: object) -> None:
        call(*arguments)
        raise Killed

    return dying


@pytest.mark.parametrize("step", ["uploaded", "share"])
def test_a_process_killed_before_or_after_the_last_call_leaves_them_there_once(
    step: str, office: Office, root: SeenMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = office.another_process("two")
    with monkeypatch.context() as patch:
        patch.setattr(bot.attaching, step, dies_after(getattr(bot.attaching, step)))
        with pytest.raises(Killed):
            office.outbox.deliver_next(by="one")
    seen = attached(office, root)
    early = office.deliver(other, seconds=5)
    office.deliver(other, seconds=70)

    assert (seen, early) == ([] if step == "uploaded" else ONCE, 0)
    assert attached(office, root) == ONCE
    assert office.deliver(other, seconds=5) == 0


def test_a_file_of_that_name_by_somebody_else_is_not_taken_for_ours(
    office: Office, root: SeenMessage
) -> None:
    office.server.faults.next(SHARE, fault.reset())
    office.deliver()
    ana = office.server.workspace.person("ana").say("I saved it", thread=root)
    state = office.server.hub.state
    for name in ("week.html", "week.json"):
        theirs = next(one for one in state.files.values() if one.name == name)
        state.message(root.channel, ana.ts).files.append(theirs.id)
    office.deliver(seconds=70)

    assert len(attached(office, root)) == 2


def test_a_lost_answer_and_limits_attach_nothing_twice(office: Office, root: SeenMessage) -> None:
    office.server.faults.next(UPLOAD, fault.rate_limited(2))
    office.server.faults.next("upload", fault.server_error())
    office.server.faults.next(SHARE, fault.lose_answer())
    office.deliver(seconds=140)

    assert attached(office, root) == ONCE
    assert len(office.server.recorder.calls(SHARE)) == 1
    assert office.ledger.lost == []


def test_an_address_that_never_takes_the_bytes_is_given_up(
    office: Office, root: SeenMessage
) -> None:
    office.server.faults.next("upload", fault.server_error(403), times=99)
    office.deliver(seconds=1200)

    assert office.ledger.lost == [(Subject.DIGEST_FILES, "d1", "not_uploaded")]
    assert attached(office, root) == []


def test_without_the_scope_it_is_asked_for_once_and_given_up(
    office: Office,
) -> None:
    state = office.server.hub.state
    granted = state.scopes
    state.scopes = granted - {"files:write"}
    office.deliver()
    state.scopes = granted

    assert office.ledger.lost == [(Subject.DIGEST_FILES, "d1", "missing_scope")]
    assert office.deliver(seconds=70) == 0
    assert len(office.server.recorder.calls(UPLOAD)) == 1
