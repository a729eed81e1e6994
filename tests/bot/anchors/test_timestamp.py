"""A real time stamp over a head, by `openssl ts`, which verifies it as well."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from bot.anchors.timestamp import Authority
from bot.cli import main
from storage.der import MalformedDerError
from storage.evidence.export import Request, export
from storage.evidence.shipped.verify import Stamp, UnknownAuthorityError
from storage.heads import add_lines
from storage.journal import utc_now
from storage.timestamps import read_stamp
from storage.verify import verify_database, verify_pack
from tests.bot.anchors.answering import answering
from tests.bot.anchors.conftest import Ledger
from tests.bot.anchors.pretend_authority import PretendAuthority
from tests.storage.packs import AUDITOR, by_script
from workflows.moments import stamp

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
CURVE = ("ecparam", "-name", "prime256v1")
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
    good, stranger = (
        verify_database(stamped.url, [stamped.vkey], processes=1, certificates=one)
        for one in (theirs, other)
    )

    asked = ["audit", "verify", "--db", stamped.url, "--vkey", stamped.vkey]
    told = CliRunner().invoke(main, [*asked, "--tsa", str(theirs)])

    assert (told.exit_code, "stamps: 1" in told.output) == (0, True)
    at = read_stamp(stamped.evidence("rfc3161")).at
    assert (good.exit, good.counts["stamps"]) == (0, 1)
    assert (good.counts["stamped"], good.counts["stamped_at"]) == (1, stamp(at))
    assert good.warnings == []
    assert (stranger.exit, stranger.codes, stranger.counts["stamps"]) == (3, set(), 0)
    assert stranger.unproven == [
        (
            "anchor",
            "Who made the time stamp over 1 entries: no certificate that you gave vouches for it.",
        )
    ]


@pytest.mark.parametrize("apart", [timedelta(hours=2), -timedelta(days=700)])
def test_an_authority_whose_clock_is_wrong_vouches_for_nothing(
    ledger: Ledger, authority: PretendAuthority, apart: timedelta
) -> None:
    with answering(authority) as url:
        ledger.outsiders.append(Authority(url=url, now=lambda: utc_now() + apart))
        ledger.look()

    assert ledger.anchors() == []
    assert ledger.turns()["rfc3161"].failures == 1
    assert "one of them is wrong" in ledger.turns()["rfc3161"].error


def test_a_stamp_from_before_its_entries_is_told_of(
    stamped: Ledger, authority: PretendAuthority, tmp_path: Path
) -> None:
    stamped.clock.at = utc_now() + timedelta(hours=1)
    stamped.grows()
    stamped.look()
    pack = tmp_path / "pack"
    export(stamped.store, Request(out=pack), person=AUDITOR, now=stamped.clock())
    theirs = authority.folder / "ca.pem"
    looked = (
        verify_database(stamped.url, [stamped.vkey], processes=1, certificates=theirs),
        verify_pack(pack, [stamped.vkey], processes=1, certificates=theirs),
    )

    assert [(one.exit, one.counts["stamped"]) for one in looked] == [(0, 2)] * 2
    assert [[code for code, _ in one.warnings] for one in looked] == [["clock"]] * 2
    assert "The time stamp over 2 entries says" in looked[0].warnings[0][1]


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


def roots(authority: PretendAuthority, name: str = "ca.pem") -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((authority.folder / name).read_bytes())


def test_the_verifier_of_a_pack_judges_stamps_under_the_certificates(
    stamped: Ledger, authority: PretendAuthority, tmp_path: Path
) -> None:
    stamped.look()
    pack = tmp_path / "pack"
    export(stamped.store, Request(out=pack), person=AUDITOR, now=stamped.clock())
    theirs, other = authority.folder / "ca.pem", authority.folder / "tsa.pem"
    good, stranger = (by_script(pack, stamped.vkey, tsa=one) for one in (theirs, other))

    assert (good[0], good[1]["failures"]) == (0, [])
    assert (stranger[0], stranger[1]["failures"]) == (3, [])
    assert [code for code, _ in stranger[1]["unproven"]] == ["anchor"]
    assert "no certificate that you gave" in stranger[1]["unproven"][0][1]


def test_without_openssl_nothing_is_told_of_who_made_a_stamp(
    stamped: Ledger,
    authority: PretendAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamped.look()
    monkeypatch.setenv("PATH", str(tmp_path))
    looked = verify_database(
        stamped.url, [stamped.vkey], processes=1, certificates=authority.folder / "ca.pem"
    )

    assert (looked.exit, looked.codes) == (3, set())
    assert "openssl could not be asked" in looked.unproven[0][1]


def test_a_token_holds_only_as_it_was_signed(stamped: Ledger, authority: PretendAuthority) -> None:
    stamped.look()
    answer = stamped.evidence("rfc3161")
    stamp = Stamp(answer)
    told, signature = answer.index(stamp.told), len(answer) - 20
    changed = [_flipped(answer, at) for at in (told + len(stamp.told) - 1, signature)]
    whys = [Stamp(one).refusal(roots(authority)) for one in changed]
    at_once = stamp.refusal(roots(authority))
    stamp.at += timedelta(days=3)

    assert at_once == ""
    assert whys == ["what it says was changed", "its signature is false"]
    assert stamp.refusal(roots(authority)) == "a certificate was not good at the time that it names"


def test_a_namesake_of_the_authority_vouches_for_nothing(
    ledger: Ledger, authority: PretendAuthority, tmp_path: Path
) -> None:
    subprocess.run(["openssl", *CURVE, "-out", tmp_path / "curve.pem"], check=True)
    namesake = PretendAuthority(tmp_path, key=f"ec:{tmp_path / 'curve.pem'}", hash="sha512")
    namesake.begin()
    with answering(namesake) as url:
        ledger.outsiders.append(Authority(url=url))
        ledger.look()
    stamp = Stamp(ledger.evidence("rfc3161"))

    assert stamp.refusal(roots(namesake)) == ""
    with pytest.raises(UnknownAuthorityError, match="no certificate that you gave"):
        stamp.refusal(roots(authority))


def _flipped(answer: bytes, at: int) -> bytes:
    return answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]


@pytest.mark.parametrize("cut", [0, 1, 5, 30, 200, -1])
def test_a_cut_answer_is_refused_in_a_sentence(stamped: Ledger, cut: int) -> None:
    stamped.look()

    with pytest.raises(MalformedDerError):
        read_stamp(stamped.evidence("rfc3161")[:cut])
    with pytest.raises(ValueError, match="not the answer of a time stamp authority"):
        Stamp(stamped.evidence("rfc3161")[:cut])
