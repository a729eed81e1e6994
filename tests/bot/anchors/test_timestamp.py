"""A real time stamp over a head, by `openssl ts`, which verifies it as well."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from bot.anchors.timestamp import Authority
from bot.cli import main
from storage.der import MalformedDerError
from storage.heads import add_lines
from storage.timestamps import read_stamp
from storage.verify import verify_database
from tests.bot.anchors.answering import answering
from tests.bot.anchors.conftest import Ledger
from tests.bot.anchors.pretend_authority import PretendAuthority

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
ANOTHER = "— other.example Zm91cnNpZ25hdHVyZQ==\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PretendAuthority:
    made = PretendAuthority(tmp_path_factory.mktemp("authority"))
    made.begin()
    return made


@pytest.fixture
def stamped(ledger: Ledger, authority: PretendAuthority) -> Iterator[Ledger]:
    with answering(authority) as url:
        ledger.outsiders.append(Authority(url=url))
        yield ledger


def test_a_head_is_stamped_and_openssl_agrees(stamped: Ledger, authority: PretendAuthority) -> None:
    stamped.look()
    (told,) = stamped.anchors()
    note, answer = stamped.kept_note(1), stamped.evidence("rfc3161")
    stamp = read_stamp(answer)

    assert (told.data["size"], told.data["type"]) == (1, "rfc3161")
    assert told.data["ref"] == f"{stamp.serial:x}"
    assert abs(datetime.now(UTC) - stamp.at) < timedelta(minutes=2)
    assert authority.accepts(note, answer)
    assert not authority.accepts(note.replace("\n1\n", "\n2\n"), answer)


def test_an_auditor_with_the_certificates_has_the_stamps_verified(
    stamped: Ledger, authority: PretendAuthority
) -> None:
    stamped.look()
    with stamped.store.database.begin() as tx:
        add_lines(tx, 1, ANOTHER)
    theirs, other = authority.folder / "ca.pem", authority.folder / "tsa.pem"
    good, bad = (
        verify_database(stamped.url, [stamped.vkey], processes=1, certificates=one)
        for one in (theirs, other)
    )

    asked = ["audit", "verify", "--db", stamped.url, "--vkey", stamped.vkey]
    told = CliRunner().invoke(main, [*asked, "--tsa", str(theirs)])

    assert (told.exit_code, "stamps: 1" in told.output) == (0, True)
    assert (good.exit, good.counts["stamps"]) == (0, 1)
    assert (bad.exit, bad.codes, bad.counts["stamps"]) == (1, {"anchor"}, 0)
    assert "The time stamp over 1 entries does not hold: openssl says" in bad.failures[0][1]


def test_a_stamp_still_covers_a_note_that_got_another_line(stamped: Ledger) -> None:
    stamped.look()
    with stamped.store.database.begin() as tx:
        longer = add_lines(tx, 1, ANOTHER)
    stamp = read_stamp(stamped.evidence("rfc3161"))

    assert longer.endswith(ANOTHER)
    assert stamped.verified().exit == 0
    assert stamp.covers(longer)
    assert not stamp.covers(longer.replace("\n1\n", "\n2\n"))


def test_an_answer_to_another_question_is_no_stamp(
    stamped: Ledger, authority: PretendAuthority
) -> None:
    stamped.look()
    authority.is_stuck = True
    stamped.clock.at += timedelta(hours=24)
    stamped.look()
    authority.is_stuck = False

    assert len(stamped.anchors()) == 1
    assert "for something else" in stamped.turns()["rfc3161"].error


@pytest.mark.parametrize("cut", [0, 1, 5, 30, 200, -1])
def test_a_cut_answer_is_refused_in_a_sentence(stamped: Ledger, cut: int) -> None:
    stamped.look()

    with pytest.raises(MalformedDerError):
        read_stamp(stamped.evidence("rfc3161")[:cut])
