"""A pack says what its database says, whole or in part, and shows every change made to it."""

import base64
import csv
import gc
import json
import re
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from storage.checkpoint import Checkpoint, NoteSigner, read_vkey
from storage.database import Database, open_database
from storage.evidence.disclosure import Disclosure
from storage.evidence.export import VERIFIER, Exported
from storage.evidence.pack import writing
from storage.evidence.ranges import Bounds, places
from storage.evidence.shipped import verify as shipped
from storage.key_changes import KeyOffice
from storage.keys import LogKey
from storage.verify import verify_database, verify_pack
from storage.verify.broken import BrokenPackError
from storage.verify.pack_files import pack_files
from storage.verify.words import FAULTS
from tests.storage.machines import RITA
from tests.storage.packs import ATTACKS, Office, by_script, in_line, resign, rewrite
from tests.storage.test_verify import a_full_life
from tests.storage.trail import begin_trail, outside, rotate_log_key, rotate_writer
from workflows.errors import EvidenceError


@pytest.fixture
def office(database_url: str, database: Database, home: Path, tmp_path: Path) -> Office:
    return Office(begin_trail(database_url, database, home), tmp_path)


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_a_pack_of_the_whole_log_is_verified_like_its_database(office: Office, name: str) -> None:
    note = a_full_life(office.trail)
    made = office.export(name)
    report = office.verified(made, note)
    own = verify_database(
        office.trail.url, [office.trail.pin], [note], now=office.trail.clock, processes=1
    )

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert (report.warnings, report.semantics) == ([], [])
    assert report.counts["parts_gone"] == own.counts["parts_gone"]
    # The export itself is recorded after the pack was made.
    assert int(report.counts["entries"]) == int(own.counts["entries"]) - 1


def test_a_quick_look_at_a_pack_is_verified(office: Office) -> None:
    a_full_life(office.trail)

    assert office.verified(office.export(), quick=True).exit == 0


@pytest.mark.parametrize(("start", "end"), [(0, 9), (5, 20), (17, None), (12, 12)])
def test_a_pack_of_a_part_is_verified_and_provably_all_of_that_part(
    office: Office, start: int, end: int | None
) -> None:
    note = a_full_life(office.trail)
    made = office.export(start=start, end=end)
    report = office.verified(made, note)

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert report.semantics == []
    lines = (made.path / "entries.jsonl").read_text().splitlines()
    assert len(lines) == made.end - made.start


def test_a_head_of_another_log_is_called_that_and_tells_of_no_missing_end(
    office: Office, tmp_path: Path
) -> None:
    office.trail.run("r1")
    made = office.export()
    before = LogKey.of(Ed25519PrivateKey.generate(), "interlock.example/audit/T0OLD")
    note = NoteSigner([before]).sign(Checkpoint(before.key.name, 500, bytes(32)))
    (tmp_path / "old").write_text(note)
    report = office.verified(made, note)
    code, said = by_script(made.path, office.trail.pin, notes=[tmp_path / "old"])
    own = verify_database(
        office.trail.url, [office.trail.pin], [note], now=office.trail.clock, processes=1
    )

    assert (report.exit, report.codes, report.unproven) == (1, {"checkpoint-origin"}, [])
    assert (own.exit, own.codes) == (1, {"checkpoint-origin"})
    assert (code, [one[0] for one in said["failures"]]) == (1, ["checkpoint-origin"])
    assert said["unproven"] == []


def test_what_is_not_disclosed_is_withheld_and_not_missing(office: Office) -> None:
    office.trail.run("r1")
    made = office.export(disclose=Disclosure.NONE)
    report = office.verified(made)

    assert (report.exit, report.counts["parts_held"], report.counts["parts_gone"]) == (0, 0, 0)
    assert report.counts["parts_withheld"] == 3
    assert (made.path / "disclosures.jsonl").read_bytes() == b""
    assert json.loads((made.path / "manifest.json").read_text())["disclosure"] == "selected"


def test_only_the_chosen_payloads_are_disclosed(office: Office) -> None:
    office.trail.run("r1")
    made = office.export(disclose=Disclosure.SELECTED, parts=frozenset({"output"}))
    told = [json.loads(one) for one in (made.path / "disclosures.jsonl").read_text().splitlines()]

    assert office.verified(made).exit == 0
    assert {one["n"] for one in told} == {"output"}


def test_people_outside_the_part_are_not_named(office: Office) -> None:
    office.trail.run("r1", approver="ana")
    office.trail.run("r2", approver="ben")
    before = office.trail.place_of("run.finished") + 1
    made = office.export(start=0, end=before)

    assert "slack:T0ABC:ben" not in (made.path / "subjects.jsonl").read_text()
    assert "slack:T0ABC:ana" in (made.path / "subjects.jsonl").read_text()


def test_proofs_and_sampled_runs_go_along(office: Office) -> None:
    for number in range(6):
        office.trail.run(f"r{number}")
    first = office.export("one", proofs=(3,), sample=2, seed="2026-Q1")
    again = office.export("two", sample=2, seed="2026-Q1")
    other = office.export("three", sample=6, seed="x")

    assert office.verified(first).exit == 0
    assert (first.path / "proofs" / "3.tlog-proof").read_text().startswith("c2sp.org/tlog-proof@v1")
    assert first.sampled == again.sampled
    assert len(first.sampled) == 2
    assert len(other.sampled) == 6
    assert (first.path / "samples" / first.sampled[0] / "entries.jsonl").exists()


def test_the_export_is_recorded_with_the_hash_of_the_manifest(office: Office) -> None:
    office.trail.run("r1")
    made = office.export(start=1, end=4)
    line = json.loads(office.trail.line(office.trail.place_of("export.made")))

    assert line["data"] == {
        "range": [1, 4],
        "disclosure": "all",
        "size": made.head.size,
        "manifest": made.manifest,
    }
    assert line["actor"]["t"] == "user"


def test_a_log_key_that_is_replaced_while_a_pack_grows_does_not_sign_it(
    office: Office, database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.trail.run("r1")
    keys = KeyOffice(database, office.trail.journal, person=RITA)
    old = read_vkey(office.trail.pin).id

    class Rotating:
        """The verifier, which is among the last that an export reads."""

        def read_bytes(self) -> bytes:
            keys.rotate_log(home)
            keys.retire(old)
            return VERIFIER.read_bytes()

    monkeypatch.setattr("storage.evidence.export.VERIFIER", Rotating())
    made = office.export()
    report = office.verified(made)
    envelope = json.loads((made.path / "manifest.dsse.json").read_text())

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert [one["keyid"] for one in envelope["signatures"]] == [old]
    assert office.verified(office.export("next")).exit == 0


def test_a_log_key_that_was_ended_signs_no_manifest(office: Office) -> None:
    office.trail.run("r1")
    stolen = office.trail.journal.sequencer.signers[0]
    assert isinstance(stolen, LogKey)
    rotate_log_key(office.trail)
    made = office.export()
    before = office.verified(made)
    resign(made.path, stolen, tool="another")
    code, said = by_script(made.path, office.trail.pin)

    assert before.exit == 0
    assert office.verified(made).codes == {"manifest-signature"}
    assert (code, [one[0] for one in said["failures"]]) == (1, ["manifest-signature"])


def test_the_head_of_a_pack_stays_listed_in_the_log(office: Office) -> None:
    office.trail.run("r1")
    made = office.export()
    office.trail.run("r2")
    note = (made.path / "checkpoint").read_text()
    report = verify_database(
        office.trail.url, [office.trail.pin], [note], now=office.trail.clock, processes=1
    )

    assert (report.exit, report.unproven) == (0, [])


def test_securesystemslib_accepts_the_manifest(office: Office) -> None:
    made = office.export()
    envelope = json.loads((made.path / "manifest.dsse.json").read_text())
    vkey = made.head.vkey
    public = base64.b64decode(vkey.split("+", 2)[2])[1:]
    key_id = envelope["signatures"][0]["keyid"]
    key = SSlibKey(key_id, "ed25519", "ed25519", {"public": public.hex()})

    assert set(Envelope.from_dict(envelope).verify([key], 1)) == {key_id}
    assert base64.b64decode(envelope["payload"]) == (made.path / "manifest.json").read_bytes()


def test_the_page_in_the_pack_checks_the_head_with_openssl_alone(office: Office) -> None:
    made = office.export()
    page = (made.path / "README").read_text().splitlines()
    starts = ("    mkdir", "    sed", "    {", "    openssl")
    commands = [one.strip() for one in page if one.startswith(starts)]
    commands.insert(1, f"echo '{office.trail.pin}' > vkey")
    done = subprocess.run(
        ["bash", "-euc", "\n".join(commands)],
        cwd=made.path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"most {made.head.size} entries: what a larger one covers is younger" in "\n".join(page)
    assert len(commands) == 5
    assert (done.returncode, done.stdout.strip()) == (0, "Signature Verified Successfully")
    assert office.verified(made).codes == set()  # Nothing of this was put into the pack.


def test_one_wrong_clock_leaves_nothing_of_a_period_out(office: Office) -> None:
    office.trail.run("r0")
    true = office.trail.clock.at
    office.trail.clock.at = true + timedelta(days=400)
    office.trail.tell(outside("hold.lifted", {"hold": "h", "reason": "x"}))
    office.trail.clock.at = true + timedelta(days=1)
    first = office.trail.count()
    office.trail.run("r1")
    size = office.trail.count()
    day, year = true + timedelta(days=1), true + timedelta(days=300)
    with office.trail.database.read() as connection:
        found = [
            places(connection, Bounds(since=since, until=until), size)
            for since, until in ((day, year), (None, year), (day, None), (year, year))
        ]

    # At most the one entry out of its time goes along as well.
    assert found == [(first, size), (0, size), (first - 1, size), (size, size)]


@pytest.mark.parametrize(("start", "end"), [(3, 1), (0, 10_000)])
def test_a_range_that_is_none_is_refused(office: Office, start: int, end: int) -> None:
    office.trail.run("r1")

    with pytest.raises(EvidenceError, match="no range"):
        office.export(start=start, end=end)

    assert not (office.folder / "pack").exists()


def test_a_failed_export_leaves_nothing_and_is_not_recorded(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    office.trail.run("r1")
    monkeypatch.setattr("storage.evidence.reports.written.page", full)
    with pytest.raises(EvidenceError, match="No space left"):
        office.export()

    assert list(office.folder.glob("pack*")) == []
    assert office.trail.place_of("run.finished") == office.trail.count() - 1


KILLED = """
import os, pkgutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.database import open_database
from storage.evidence.export import Request, export
from storage.log_setup import open_journal
from storage.store import SqlStore

now = lambda: datetime.now(UTC)
database = open_database(sys.argv[1])
store = SqlStore(database, open_journal(database, Path(sys.argv[2]), now=now), now=now)
place, name = sys.argv[4:]
setattr(pkgutil.resolve_name(place), name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
export(store, Request(out=Path(sys.argv[3])), person="os:1", now=now())
"""


@pytest.mark.parametrize(
    ("place", "name", "told"),
    [
        ("storage.evidence.export", "write_contents", 0),
        ("storage.evidence.reports.written", "page", 0),
        ("storage.evidence.export", "write_manifest", 0),
        ("storage.evidence.pack:_Folder", "close", 1),  # It was recorded before, and says so.
    ],
)
def test_a_killed_export_leaves_no_pack_under_its_name(
    sqlite_url: str, tmp_path: Path, place: str, name: str, told: int
) -> None:
    database = open_database(sqlite_url)
    office = Office(begin_trail(sqlite_url, database, tmp_path / "home"), tmp_path)
    office.trail.run("r1")
    words = [sys.executable, "-c", KILLED, sqlite_url, str(tmp_path / "home"), str(tmp_path / "p")]
    words += [place, name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "p").exists()
    assert office.trail.tells("export.made") == told
    assert office.verified(office.export("p")).exit == 0
    assert [one.name for one in tmp_path.glob("p*")] == ["p"]
    database.close()


def test_a_pack_never_overwrites_what_is_there(office: Office) -> None:
    office.export()

    with pytest.raises(EvidenceError, match="exists already"):
        office.export()


@pytest.mark.parametrize(("start", "end"), [(0, None), (5, 20)])
def test_the_verifier_in_the_pack_agrees(office: Office, start: int, end: int | None) -> None:
    note = a_full_life(office.trail)
    made = office.export(start=start, end=end, proofs=(3,), sample=2)
    kept = made.path.with_name("note")
    kept.write_text(note)

    code, told = by_script(made.path, office.trail.pin, notes=[kept])
    assert (code, told["failures"], told["unproven"]) == (0, [], [])
    code, told = by_script(made.path)
    assert (code, [one for one, _ in told["unproven"]]) == (3, ["unpinned"])
    assert (made.path / "verify.py").read_bytes() == VERIFIER.read_bytes()


def test_a_folder_is_what_it_was_when_a_verification_began(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "there").write_bytes(b"1")
    with pack_files(tmp_path) as files:
        (tmp_path / "late").write_bytes(b"2")
        (tmp_path / "link").symlink_to("/etc/passwd")

        assert files.names() == {"sub/there"}
        assert list(files.links()) == []
        with pytest.raises(BrokenPackError, match="leads out of the pack"):
            files.open("link")


@pytest.fixture(scope="module")
def honest(
    sqlite_schema: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Office, Exported]]:
    """Make one pack that is copied for each attack on it."""
    folder = tmp_path_factory.mktemp("honest")
    url = str(shutil.copy(sqlite_schema, folder / "log.db"))
    database = open_database(url)
    office = Office(begin_trail(url, database, folder / "home"), folder)
    for number in range(3):
        office.trail.run(f"r{number}")
    yield office, office.export(proofs=(3,), sample=2)
    database.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_changes_a_pack_is_found_by_name(
    honest: tuple[Office, Exported], tmp_path: Path, name: str
) -> None:
    attack, codes = ATTACKS[name]
    office, made = honest
    pack = shutil.copytree(made.path, tmp_path / "pack")
    assert office.verified(made).exit == 0
    attack(pack)
    report = office.verified(replace(made, path=pack))

    assert report.exit == 1
    assert report.codes >= set(codes.split()), report.failures
    # The verifier that ships in the pack was written apart from ours, and finds the same.
    found = shipped.Verifier(shipped.Pack(pack), [shipped.Key(office.trail.pin)], []).run()
    told = {f"First fault: {FAULTS[one]}." for one in report.codes}
    assert {one for one, _ in found.failures} == report.codes
    # Where no entry is at fault, each begins with what it met first.
    assert found.first() in ({report.lines()[-2]} if report.first_at is not None else told)


def test_the_verifier_in_the_pack_says_in_words_what_is_wrong_and_in_which_run(
    honest: tuple[Office, Exported], tmp_path: Path
) -> None:
    office, made = honest
    pack = shutil.copytree(made.path, tmp_path / "pack")
    ATTACKS["change a value"][0](pack)
    words = [sys.executable, "-I", str(pack / "verify.py"), "--vkey", office.trail.pin]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    codes = re.findall(r'fail\(\s*"([a-z-]+)"', VERIFIER.read_text())

    assert done.stdout.splitlines()[-2:] == [
        "First fault: An entry was changed after it was recorded. It is entry 6, of the run r0.",
        "BROKEN: the history shown is not the history recorded.",
    ]
    assert set(codes) == shipped.FAULTS.keys()
    assert shipped.FAULTS.items() <= FAULTS.items()


def test_a_place_beyond_the_numbers_that_all_readers_share_is_none(
    honest: tuple[Office, Exported], tmp_path: Path
) -> None:
    office, made = honest
    pack = shutil.copytree(made.path, tmp_path / "pack")
    in_line(4, '"rseq":[0-9]+', '"rseq":9007199254740993')(pack)
    found = shipped.Verifier(shipped.Pack(pack), [], []).run()

    assert "entry-malformed" in office.verified(replace(made, path=pack)).codes
    assert "entry-malformed" in {one for one, _ in found.failures}


def test_a_line_about_somebody_that_cannot_be_read_is_found_by_name(office: Office) -> None:
    office.trail.run("r0")
    made = office.export()
    rewrite("subjects.jsonl", lambda text: text.replace('"k":"', '"k":"!', 1))(made.path)

    # A report that names them cannot be compared with the entry then.
    assert office.verified(made).codes == {"subject-ref", "file-hash", "index-row"}


def test_an_unsigned_manifest_is_unproven(office: Office) -> None:
    made = office.export()
    (made.path / "manifest.dsse.json").unlink()
    report = office.verified(made)

    assert report.exit == 3
    assert [code for code, _ in report.unproven] == ["manifest-unsigned"]


def test_a_pack_of_another_log_is_refused_under_our_key(
    office: Office,
) -> None:
    made = office.export()
    other = verify_pack(
        made.path,
        [office.trail.pin.replace("T0ABC", "T0XYZ")],
        now=office.trail.clock,
    )

    assert other.exit in {1, 2}


def test_the_verifier_in_the_pack_reads_a_folder_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "pack.zip"
    file.write_bytes(b"PK")
    words = [sys.executable, "-I", str(VERIFIER), "--pack", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The pack cannot be read: it is a file; unpack it, and name the folder\n"
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", b"PK\x03\x04 broken"],
    ids=["empty", "text", "broken zip"],
)
def test_what_is_no_pack_is_said_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "pack.zip"
    file.write_bytes(content)
    report = verify_pack(file, [])

    assert report.exit == 2
    assert "cannot be read" in (report.malformed or "")


def test_a_manifest_that_is_none_is_said_in_a_sentence(office: Office) -> None:
    made = office.export()
    for broken in ("", "[]", '{"format":"audit-evidence/2"}', '{"format": "audit-evidence/1"}'):
        (made.path / "manifest.json").write_text(broken)

        assert office.verified(made).exit == 2


@pytest.mark.parametrize("name", ["leaves.bin", "manifest.json", "report.html"])
def test_a_pack_cannot_lead_out_of_itself(office: Office, tmp_path: Path, name: str) -> None:
    made = office.export()
    secret = tmp_path / "elsewhere"
    (made.path / name).rename(secret)
    (made.path / name).symlink_to(secret)
    found = shipped.Verifier(shipped.Pack(made.path), [], []).run()

    assert office.verified(made).exit in {1, 2}
    assert {code for code, _ in found.failures} == {"file-hash"}


def test_the_same_log_gives_the_same_zip(office: Office) -> None:
    made = office.export("a.zip")
    names = zipfile.ZipFile(made.path).namelist()

    assert "manifest.json" in names
    assert len(names) == len(set(names))


def test_a_zip_that_was_overwritten_in_the_middle_is_said_in_a_sentence(office: Office) -> None:
    made = office.export("a.zip")
    with zipfile.ZipFile(made.path) as whole:
        where = whole.getinfo("entries.jsonl")
    broken = bytearray(made.path.read_bytes())
    at = where.header_offset + 30 + len(where.filename)
    broken[at + 20 : at + 60] = b"\xff" * 40
    made.path.write_bytes(broken)
    report = office.verified(made)

    assert (report.exit, "cannot be read" in (report.malformed or "")) == (2, True)


def test_a_key_that_was_ended_before_it_was_revoked_is_doubted_all_the_same(
    office: Office,
) -> None:
    stolen = office.trail.journal.writer.id
    office.trail.run("r0")
    rotate_writer(office.trail)
    for since in (3, 500):
        office.trail.tell(outside("key.revoke", {"id": stolen, "from": since}))
    made = office.export()
    found = shipped.Verifier(shipped.Pack(made.path), [shipped.Key(office.trail.pin)], []).run()

    assert [code for code, _ in office.verified(made).unproven] == ["revoked-window"]
    assert [code for code, _ in found.unproven] == ["revoked-window"]


def test_a_name_that_stands_twice_in_a_zip_is_refused(office: Office) -> None:
    made = office.export("a.zip")
    with zipfile.ZipFile(made.path, "a") as out, pytest.warns(UserWarning, match="Duplicate name"):
        out.writestr("report.html", "<h1>Verified</h1>")
    report = office.verified(made)

    assert (report.exit, report.malformed) == (
        2,
        "The pack cannot be read: report.html stands twice in it.",
    )


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_of_two_exports_to_one_place_the_second_is_refused(tmp_path: Path, name: str) -> None:
    with writing(tmp_path / name) as first:
        first.put("manifest.json", b"first")
        with (
            pytest.raises(EvidenceError, match="written just now, by another"),
            writing(tmp_path / name),
        ):
            pytest.fail("Two write into one pack.")
        first.put("entries.jsonl", b"whole")

    assert [one.name for one in tmp_path.iterdir()] == [name]
    with pytest.raises(EvidenceError, match="exists already"), writing(tmp_path / name):
        pytest.fail("A pack is written over another one.")


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_what_comes_to_stand_there_meanwhile_is_not_overwritten(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvidenceError, match="exists already"), writing(tmp_path / name):
        (tmp_path / name).write_text("mine")

    assert [one.read_text() for one in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
@pytest.mark.parametrize("left", ["file", "folder", "link"])
def test_what_a_killed_export_left_is_taken_away(tmp_path: Path, name: str, left: str) -> None:
    partial = tmp_path / f"{name}.partial"
    if left == "folder":
        (partial / "samples").mkdir(parents=True)
    elif left == "link":
        partial.symlink_to(tmp_path / "nowhere")
    else:
        partial.write_bytes(b"half")
    with writing(tmp_path / name) as pack:
        pack.put("manifest.json", b"{}")

    assert [one.name for one in tmp_path.iterdir()] == [name]


def fills(path: Path) -> str:
    """Write more than there is room for; return how that was refused."""
    try:
        with writing(path) as pack:
            pack.put("manifest.json", secrets.token_bytes(4_000))
            pack.put("entries.jsonl", secrets.token_bytes(100_000))
    except EvidenceError as refused:
        return refused.message
    return ""


WRITTEN_INTO_LINES = {
    "a time that is none": ('"ts":"20', '"ts":"xx'),
    "a time after all others": ('"ts":"2026', '"ts":"9999'),
    "a run that leads out of a pack": ('"run":"r0"', '"run":"../../../out"'),
}


@pytest.mark.parametrize("name", WRITTEN_INTO_LINES)
def test_a_pack_is_made_of_what_an_owner_wrote_into_the_database(office: Office, name: str) -> None:
    old, new = WRITTEN_INTO_LINES[name]
    office.trail.run("r0")
    office.trail.run_sql(f"UPDATE audit_entry SET line = replace(line, '{old}', '{new}')")
    made = office.export(sample=3, seed="x")

    assert office.verified(made).exit == by_script(made.path, office.trail.pin)[0] == 1
    assert not (office.folder.parent / "out").exists()


def test_a_class_that_there_is_not_keeps_no_pack_from_being_made(office: Office) -> None:
    office.trail.run("r0")
    office.trail.run_sql("UPDATE audit_part SET cls = 'unheard'")
    made = office.export()
    (row,) = csv.DictReader((made.path / "reports/retention.csv").read_text().splitlines())

    assert (row["subject"], row["due"]) == ("unheard", "")


def test_a_disk_without_room_leaves_no_half_zip_and_says_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", noise.append)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        told = fills(tmp_path / "pack.zip")
        gc.collect()  # What was given up must not write its end now: it would fail once more.
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert "pack.zip cannot be written: File too large" in told
    assert list(tmp_path.iterdir()) == []
    assert noise == []


def test_a_place_below_a_file_is_refused_in_a_sentence(office: Office) -> None:
    (office.folder / "file").write_text("mine")
    with pytest.raises(EvidenceError, match="cannot be written: Not a directory"):
        office.export("file/pack")
    with pytest.raises(EvidenceError, match="cannot be written: Not a directory"):
        office.export("file/pack.zip")

    assert (office.folder / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_a_link_that_leads_nowhere_is_not_overwritten(office: Office, name: str) -> None:
    link = office.folder / name
    link.symlink_to(office.folder / "nowhere")
    size = office.export("before").head.size
    with pytest.raises(EvidenceError, match="exists already"):
        office.export(name)

    assert link.is_symlink()
    assert office.export("after").head.size == size + 1  # Of the first one alone is there an entry.
