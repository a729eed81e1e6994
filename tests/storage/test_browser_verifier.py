"""The page that verifies a pack in a browser says what the verifiers in Python say."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect

from storage.anchors import Evidence, keep_anchor
from storage.checkpoint import Checkpoint, NoteSigner, SignatureLine, read_note
from storage.cosignature import WitnessKey, cosigned
from storage.database import open_database
from storage.evidence.page import browser_verifier
from storage.evidence.shipped.verify import RSA_PSS, Stamp
from storage.heads import show_head
from storage.keys import LogKey
from storage.timestamps import request_for
from storage.verify import verify_pack
from tests.bot.anchors.pretend_authority import PretendAuthority
from tests.sandbox.page.tabs import PATIENCE, chromium
from tests.storage.forged_packs import PIN
from tests.storage.forging import restore_to
from tests.storage.held_stories import HELD_STORIES
from tests.storage.hostile_packs import HOSTILE
from tests.storage.hostile_zips import HOSTILE_ZIPS
from tests.storage.key_stories import CHAIN_STORIES, KEY_STORIES
from tests.storage.packs import ATTACKS, Office, by_script, resign, rewrite
from tests.storage.stories import STORIES, recorded
from tests.storage.test_verify import a_full_life
from tests.storage.trail import (
    Trail,
    begin_trail,
    erase_person,
    intended,
    outside,
    requested,
    rotate_log_key,
    rotate_writer,
    started,
)

pytestmark = pytest.mark.browser


@dataclass
class Reader:
    """Somebody with the page open, and what it asked the network for."""

    browser: Browser
    page: Page
    asked: list[str]
    given: dict[str, str] = field(default_factory=dict)

    def verify(self, pack: Path, *, keys: str = "", heads: str = "", authorities: str = "") -> int:
        """Have `pack` verified and return the verdict, as the exit code of the others."""
        page = self.page
        chooser = "#folder" if pack.is_dir() else "#zip"
        page.locator(chooser).set_input_files(str(pack))
        self._give(keys=keys, heads=heads, authorities=authorities)
        page.locator("#start").click()
        expect(page.locator("#start")).to_be_enabled()
        return int(page.locator(".verdict").get_attribute("data-exit") or "")

    def _give(self, **wanted: str) -> None:
        for name, text in wanted.items():
            if self.given.get(name, "") != text:
                self.page.locator(f"#{name}").fill(text)
                self.given[name] = text

    def codes(self, level: str = "failures") -> set[str]:
        """Return the codes that the page shows."""
        found = self.page.locator(f".{level} li[data-code]").all()
        return {one.get_attribute("data-code") or "" for one in found}

    def text(self, where: str) -> str:
        """Return what the page says there."""
        return self.page.locator(where).inner_text()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Open the page from a file, once for all; no script of it may fail."""
    file = tmp_path_factory.mktemp("page") / "verify.html"
    file.write_bytes(browser_verifier())
    faults: list[str] = []
    with chromium() as running:
        page = running.new_page(viewport={"width": 390, "height": 800})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        yield Reader(running, page, asked)
    assert faults == []


@pytest.fixture(scope="module")
def begin(
    tmp_path_factory: pytest.TempPathFactory, sqlite_schema: Path
) -> Iterator[Callable[[], Office]]:
    """Give a function that begins a log."""
    opened = []

    def begin() -> Office:
        folder = tmp_path_factory.mktemp("log")
        shutil.copy(sqlite_schema, folder / "interlock.db")
        url = str(folder / "interlock.db")
        opened.append(open_database(url))
        return Office(begin_trail(url, opened[-1], folder / "home"), folder)

    yield begin
    for database in opened:
        database.close()


@pytest.fixture(scope="module")
def full(begin: Callable[[], Office]) -> tuple[Office, str]:
    """Give a log with everything in it, and a note of it that was kept elsewhere."""
    office = begin()
    return office, a_full_life(office.trail)


@pytest.fixture(scope="module")
def plain(begin: Callable[[], Office]) -> Path:
    """Give a whole pack, for attacks on copies of it."""
    office = begin()
    for number in range(3):
        office.trail.run(f"r{number}")
    made = office.export(proofs=(3,), sample=2)
    (office.folder / "vkey").write_text(office.trail.pin)
    return made.path


def zipped(folder: Path) -> Path:
    """Return a ZIP of a folder, some files packed and some as they are."""
    made = folder.with_suffix(".zip")
    with zipfile.ZipFile(made, "w") as out:
        for number, file in enumerate(sorted(one for one in folder.rglob("*") if one.is_file())):
            how = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            out.write(file, file.relative_to(folder), how)
    return made


@pytest.mark.parametrize(
    ("name", "start", "end"), [("all.zip", 0, None), ("part", 5, 20), ("end.zip", 17, None)]
)
def test_a_good_pack_is_verified(
    full: tuple[Office, str], reader: Reader, name: str, start: int, end: int | None
) -> None:
    office, note = full
    made = office.export(name, start=start, end=end, proofs=(3,), sample=2)
    code = reader.verify(made.path, keys=office.trail.pin, heads=f"```\n{note}```\n{note}")

    assert (code, reader.codes(), reader.codes("unproven")) == (0, set(), set())
    assert reader.text(".verdict") == "Verified: the history shown is the history recorded."
    assert f"has {made.head.size} entries" in reader.text(".about")


def test_without_a_key_the_log_vouches_for_itself(plain: Path, reader: Reader) -> None:
    assert reader.verify(plain) == 3
    assert reader.codes("unproven") == {"unpinned"}
    assert "9 payloads are here, 0 erased" in reader.text(".about")
    assert reader.text(".about").endswith(" 2 signed heads.")


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_changes_a_pack_is_found_by_the_same_name(
    plain: Path, reader: Reader, tmp_path: Path, name: str
) -> None:
    attack, codes = ATTACKS[name]
    pin = plain.with_name("vkey").read_text()
    pack = tmp_path / "pack"
    shutil.copytree(plain, pack)
    attack(pack)
    ours = verify_pack(pack, [pin], processes=1)

    assert reader.verify(zipped(pack), keys=pin) == ours.exit == 1
    assert reader.codes() >= set(codes.split()), ours.failures
    assert reader.codes() == ours.codes


@pytest.mark.parametrize("other", ['"gone"', '"gone'])
def test_the_first_fault_is_told_in_words_with_its_run(
    plain: Path, reader: Reader, tmp_path: Path, other: str
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(plain, pack)
    entries = pack / "entries.jsonl"
    entries.write_text(entries.read_text().replace('"done"', other, 1))
    rewrite("reports/population.csv", lambda text: text.replace("run.started", "x", 1))(pack)
    reader.verify(pack, keys=plain.with_name("vkey").read_text())

    assert "was changed, moved or put in after the log was signed" in reader.text(".first")
    assert "It is of the run r0." in reader.text(".first")
    assert reader.page.locator("#runs summary em").all_inner_texts() == ["not as recorded"]


def erased_in_words_only(trail: Trail) -> None:
    trail.run_sql("CREATE TABLE spare AS SELECT * FROM audit_part")
    erase_person(trail, "rita")
    trail.run_sql("INSERT INTO audit_part SELECT * FROM spare WHERE name = 'message'")


def stolen_writer(trail: Trail) -> None:
    old = trail.journal.writer.id
    rotate_writer(trail)
    for since in (3, 500):
        trail.tell(outside("key.revoke", {"id": old, "from": since}))


def a_broken_second_line(trail: Trail) -> None:
    fresh = rotate_log_key(trail)
    kept = "kept_because = 'rotation'"
    name = f"{fresh.vkey.split('+')[0]} "
    trail.run_sql(
        f"UPDATE audit_checkpoint SET note = substr(note, 1, length(note) - 9) || 'AAAA'"
        f" || substr(note, -5) WHERE {kept} AND note LIKE '%{name}%'"
    )


def a_marker_that_lies(trail: Trail) -> None:
    trail.run_sql("DELETE FROM audit_part WHERE name = 'message'")


@pytest.mark.parametrize(
    "change", [erased_in_words_only, stolen_writer, a_broken_second_line, a_marker_that_lies]
)
def test_what_was_done_to_the_log_shows_in_its_pack(
    begin: Callable[[], Office], reader: Reader, change: Callable[[Trail], None]
) -> None:
    office = begin()
    office.trail.run("r0")
    change(office.trail)
    made = office.export("pack.zip")
    ours = office.verified(made)

    assert reader.verify(made.path, keys=office.trail.pin) == ours.exit != 0
    assert reader.codes() == ours.codes
    assert reader.codes("unproven") == {code for code, _ in ours.unproven}


def test_a_cut_tail_and_a_second_history_show_against_a_head_kept_elsewhere(
    begin: Callable[[], Office], reader: Reader
) -> None:
    office = begin()
    office.trail.run("r0")
    note = office.trail.outside_note()
    restore_to(office.trail, 4)
    cut = office.export("cut.zip").path
    office.trail.run("other")
    second = office.export("second.zip").path
    pin = office.trail.pin

    assert [reader.verify(one, keys=pin) for one in (cut, second)] == [0, 0]
    assert (reader.verify(cut, keys=pin, heads=note), reader.codes()) == (1, {"truncated"})
    head = f"{note}\nvkey {pin}\n"  # By `interlock audit head`.
    assert (reader.verify(second, keys=pin, heads=head), reader.codes()) == (1, {"root-mismatch"})
    assert "signed over another history" in reader.text(".first")


def test_a_head_of_another_log_is_called_that_alone(
    begin: Callable[[], Office], reader: Reader
) -> None:
    office = begin()
    office.trail.run("r0")
    before = LogKey.of(Ed25519PrivateKey.generate(), "interlock.example/audit/T0OLD")
    note = NoteSigner([before]).sign(Checkpoint(before.key.name, 500, bytes(32)))

    assert reader.verify(office.export().path, keys=office.trail.pin, heads=note) == 1
    assert (reader.codes(), reader.codes("unproven")) == ({"checkpoint-origin"}, set())


def test_a_log_key_that_was_ended_signs_no_manifest(
    begin: Callable[[], Office], reader: Reader
) -> None:
    office = begin()
    stolen = office.trail.journal.sequencer.signers[0]
    assert isinstance(stolen, LogKey)
    rotate_log_key(office.trail)
    made = office.export()

    assert reader.verify(made.path, keys=office.trail.pin) == 0
    resign(made.path, stolen, tool="another")
    assert reader.verify(made.path, keys=office.trail.pin) == 1
    assert reader.codes() == {"manifest-signature"}


def test_a_pack_under_another_key_is_refused(
    full: tuple[Office, str], plain: Path, reader: Reader
) -> None:
    assert reader.verify(plain, keys=full[0].trail.pin) == 1
    assert reader.codes() == {"checkpoint-untrusted"}


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_pack_is_said_in_a_sentence(
    reader: Reader, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "pack.zip"
    file.write_bytes(content)

    assert reader.verify(file) == 2
    assert "cannot be read" in reader.text(".first")


def test_two_zips_in_one_are_refused(plain: Path, reader: Reader, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(plain, pack)
    made = zipped(pack)
    made.write_bytes(made.read_bytes() * 2)

    assert reader.verify(made) == verify_pack(made, []).exit == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_says_the_same_of_packs_that_nobody_would_write(
    reader: Reader, tmp_path: Path, name: str
) -> None:
    forge, verdict = HOSTILE[name]
    pack = forge(tmp_path / "pack")
    ours = verify_pack(pack, [PIN], processes=1)

    assert reader.verify(zipped(pack), keys=PIN) == ours.exit == verdict
    assert reader.codes() == ours.codes
    if verdict == 1:
        run = "" if ours.first_run is None else f"It is of the run {ours.first_run}."
        assert reader.text(".first").partition("It is of")[2] == run.removeprefix("It is of")


def test_what_there_is_one_of_is_said_so(reader: Reader, tmp_path: Path) -> None:
    forge, _ = HOSTILE["the last line end of entries.jsonl missing"]
    reader.verify(zipped(forge(tmp_path / "pack")), keys=PIN)

    told = "1 payload is here, 0 erased, 0 withheld from this pack. 1 signed head."
    assert reader.text(".about").endswith(told)


@pytest.mark.parametrize("name", KEY_STORIES | CHAIN_STORIES)
def test_the_page_judges_alike_what_needs_keys(reader: Reader, tmp_path: Path, name: str) -> None:
    forge, codes = (KEY_STORIES | CHAIN_STORIES)[name]
    pack = forge(tmp_path / "pack")
    ours = verify_pack(pack, [PIN], processes=1)

    assert reader.verify(pack, keys=PIN) == ours.exit == (1 if codes else 0)
    assert reader.codes() == ours.codes == set(codes.split())
    assert reader.codes("unproven") == {one for one, _ in ours.unproven}


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_the_page_refuses_the_zips_that_the_command_refuses(
    reader: Reader, tmp_path: Path, name: str
) -> None:
    forge, verdict = HOSTILE_ZIPS[name]
    file = tmp_path / "pack.zip"
    file.write_bytes(forge(tmp_path))

    assert reader.verify(file, keys=PIN) == verdict


def test_a_zip_behind_something_else_is_refused(
    plain: Path, reader: Reader, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(plain, pack)
    made = zipped(pack)
    made.write_bytes(b"#!/bin/sh\n" + made.read_bytes())

    assert reader.verify(made) == verify_pack(made, []).exit == 2


def test_a_name_that_stands_twice_in_a_zip_is_refused(
    plain: Path, reader: Reader, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(plain, pack)
    made = zipped(pack)
    with zipfile.ZipFile(made, "a") as out, pytest.warns(UserWarning, match="Duplicate name"):
        out.writestr("leaves.bin", b"")

    assert reader.verify(made) == 2
    assert "leaves.bin stands twice" in reader.text(".first")


def test_what_is_no_key_is_said_before_the_pack_is_read(plain: Path, reader: Reader) -> None:
    assert reader.verify(plain, keys="interlock.example+00000000+AAAA") == 2
    assert "what you gave is not a key" in reader.text(".first")


def test_what_is_no_head_is_said_before_the_pack_is_read(plain: Path, reader: Reader) -> None:
    assert reader.verify(plain, heads="Dear auditor,\n\nhere is the head.") == 2
    assert "what you gave is not a signed head" in reader.text(".first")


def test_a_run_tells_who_did_what_on_whose_approval(
    full: tuple[Office, str], reader: Reader
) -> None:
    office, _ = full
    made = office.export("story.zip")
    reader.verify(made.path, keys=office.trail.pin)
    page = reader.page
    page.locator("#runs input").fill("r11")
    page.locator("#runs details summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".timeline > li")).to_have_count(6)
    told = reader.text(".timeline")

    assert reader.text("#runs output") == "1 of 13 runs"
    assert "ship: about to do shell.run on prod\napproved by slack:T0ABC:ana (entry" in told
    assert "slack:T0ABC:rita" in told
    page.locator(".part summary").first.click()
    assert reader.text(".part pre >> nth=0") == "deploy it, please"
    page.locator("#runs input").fill("r0")
    page.locator("#runs details summary").click()
    expect(page.locator(".absent").first).to_contain_text("message: erased, as entry")
    assert "erased (request): message of entry" in reader.text("#gone")


def test_withheld_payloads_are_counted(full: tuple[Office, str], reader: Reader) -> None:
    office, _ = full
    made = office.export("secret.zip", disclose="none")
    code = reader.verify(made.path, keys=office.trail.pin)

    assert code == office.verified(made).exit == 0
    assert "payloads are held by the log and were not given along" in reader.text("#gone")


def test_the_page_asks_the_network_for_nothing(reader: Reader) -> None:
    assert len(reader.asked) == 1
    assert reader.asked[0].startswith("file:///")
    page = reader.browser.new_page()
    page.goto(reader.page.url)
    asks = "fetch('data:,').then(() => 'sent', () => 'refused')"
    assert page.evaluate(asks) == "refused"


def test_a_pack_holds_the_page(plain: Path) -> None:
    assert (plain / "verify.html").read_bytes() == browser_verifier()


def test_the_page_fits_a_phone(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 320, "height": 800})
    wide = reader.page.evaluate("document.documentElement.scrollWidth")
    reader.page.set_viewport_size({"width": 390, "height": 800})

    assert wide <= 320


def test_the_report_fits_a_phone_and_its_exceptions_stand_in_words_one_can_read(
    full: tuple[Office, str], reader: Reader
) -> None:
    report = reader.browser.new_page(viewport={"width": 320, "height": 800})
    report.goto((full[0].export(name="read").path / "report.html").as_uri())
    wide = report.evaluate("document.documentElement.scrollWidth")
    narrowest = report.evaluate(
        "Math.min(...[...document.querySelectorAll('.wide td')].map(one => one.clientWidth))"
    )
    report.close()

    assert wide <= 320
    assert narrowest >= 80  # Pixels: nothing is broken after each letter.


def cosigned_by(private: Ed25519PrivateKey, note: str, *, forged: bool = False) -> str:
    """Return the line of a witness under a head."""
    head, seconds = read_note(note).checkpoint, 1_772_442_000
    said = private.sign(cosigned(head.text, seconds + forged))
    key = WitnessKey("witness.example/w1", private.public_key().public_bytes_raw())
    return str(SignatureLine(key.name, key.note_id, seconds.to_bytes(8, "big") + said))


@pytest.mark.parametrize("verdict", [0, 1])
def test_the_page_judges_anchors_and_the_lines_of_a_witness(
    begin: Callable[[], Office], reader: Reader, verdict: int
) -> None:
    forged, office, private = bool(verdict), begin(), Ed25519PrivateKey.generate()
    witness = WitnessKey("witness.example/w1", private.public_key().public_bytes_raw())
    with office.trail.database.begin() as tx:
        head = show_head(tx)
        cosigned_note = head.note + cosigned_by(private, head.note, forged=forged)
        mailed = f"<id>\nMonday\n250 taken\n\n{head.note}"
        reply = json.dumps({"fingerprint": "AAAAAAAAAAAA" if forged else head.fingerprint})
        for kind, content in (("witness", cosigned_note), ("mail", mailed), ("reply", reply)):
            kept = Evidence(type=kind, ref="r", content=content.encode(), at=office.trail.clock())
            keep_anchor(tx, head.size, kept)
    made = office.export()
    pins = f"{office.trail.pin}\n{witness}"
    code = reader.verify(made.path, keys=pins)
    ours = verify_pack(made.path, [office.trail.pin], witnesses=[str(witness)], processes=1)

    assert code == ours.exit == verdict
    assert reader.codes() == ours.codes == ({"anchor"} if forged else set())
    assert len(reader.page.locator(".failures li").all()) == (2 if forged else 0)
    assert reader.verify(made.path, keys=f"{pins}\n{other_witness()}") == (1 if forged else 3)


def other_witness() -> WitnessKey:
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return WitnessKey("witness.example/w2", public)


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[PretendAuthority]:
    """Give two that stamp time, each with a kind of key and hash of its own."""
    curve = tmp_path_factory.mktemp("curve") / "curve.pem"
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-out", curve], check=True)
    made = [
        PretendAuthority(tmp_path_factory.mktemp("tsa"), key=key, hash=hashed)
        for key, hashed in (("rsa:2048", "sha256"), (f"ec:{curve}", "sha512"))
    ]
    for one in made:
        one.begin()
    return made


def stamped(
    office: Office, authority: PretendAuthority, change: Callable[[bytes], bytes] = bytes
) -> None:
    """Keep a real token over the head, or what `change` makes of it."""
    with office.trail.database.begin() as tx:
        head = show_head(tx)
        answer = change(authority.stamp(request_for(head.note, nonce=7)))
        kept = Evidence(type="rfc3161", ref="r", content=answer, at=office.trail.clock())
        keep_anchor(tx, head.size, kept)


def other_words(answer: bytes) -> bytes:
    told = Stamp(answer).told
    return answer.replace(told, told[:-1] + bytes([told[-1] ^ 1]))


def other_signature(answer: bytes) -> bytes:
    return answer[:-20] + bytes([answer[-20] ^ 1]) + answer[-19:]


def as_of_rsa_pss(answer: bytes) -> bytes:
    """Return a token that says of its signature that it is of the one kind no verifier knows."""
    before, _name, after = answer.rpartition(bytes.fromhex("2a864886f70d010101"))
    return before + RSA_PSS + after


def test_who_made_a_time_stamp_is_judged_under_the_certificates_that_are_pasted(
    begin: Callable[[], Office], reader: Reader, authorities: list[PretendAuthority]
) -> None:
    office = begin()
    for one in authorities:
        stamped(office, one)
    made, pin = office.export(), office.trail.pin
    trusted = [(one.folder / "ca.pem").read_text() for one in authorities]
    stranger = (authorities[0].folder / "tsa.pem").read_text()

    assert reader.verify(made.path, keys=pin, authorities="".join(trusted)) == 0
    assert reader.verify(made.path, keys=pin, authorities=trusted[0]) == 3
    assert reader.text(".unproven").count("no certificate that you gave vouches for who") == 1
    assert reader.verify(made.path, keys=pin, authorities=stranger) == 3
    assert reader.verify(made.path, keys=pin, authorities="no certificate") == 2


def test_without_a_time_stamp_certificates_leave_something_unproven(
    plain: Path, reader: Reader, authorities: list[PretendAuthority]
) -> None:
    pin = (plain.parent / "vkey").read_text()
    trusted = (authorities[0].folder / "ca.pem").read_text()

    assert reader.verify(plain, keys=pin, authorities=trusted) == 3
    assert reader.codes("unproven") == {"anchor"}


def test_a_token_that_was_changed_is_found_in_the_words_of_the_verifier_in_python(
    begin: Callable[[], Office], reader: Reader, authorities: list[PretendAuthority]
) -> None:
    office = begin()
    for one in authorities:
        stamped(office, one, other_words)
        stamped(office, one, other_signature)
    made, pin = office.export(), office.trail.pin
    trusted = office.folder / "trusted.pem"
    trusted.write_text("".join((one.folder / "ca.pem").read_text() for one in authorities))
    code = reader.verify(made.path, keys=pin, authorities=trusted.read_text())
    exit_code, script = by_script(made.path, pin, tsa=trusted)
    shown = reader.text(".failures")

    assert code == exit_code == 1
    assert len(script["failures"]) == 4
    assert all(words in shown for _code, words in script["failures"])


def test_of_a_token_of_a_stranger_no_verifier_tells_whether_it_was_changed(
    begin: Callable[[], Office], reader: Reader, authorities: list[PretendAuthority]
) -> None:
    office = begin()
    stamped(office, authorities[0], other_words)
    stamped(office, authorities[0], other_signature)
    made, pin = office.export(), office.trail.pin
    trusted = authorities[1].folder / "ca.pem"
    code = reader.verify(made.path, keys=pin, authorities=trusted.read_text())
    exit_code, script = by_script(made.path, pin, tsa=trusted)
    ours = verify_pack(made.path, [pin], processes=1, certificates=trusted)

    assert code == exit_code == ours.exit == 3
    assert [one for one, _ in script["unproven"]] == [one for one, _ in ours.unproven]
    assert reader.codes("unproven") == {"anchor"}


def test_a_kind_of_signature_that_the_page_does_not_know_is_left_to_others(
    begin: Callable[[], Office], reader: Reader, authorities: list[PretendAuthority]
) -> None:
    office = begin()
    stamped(office, authorities[0], as_of_rsa_pss)
    made, trusted = office.export(), authorities[0].folder / "ca.pem"
    code = reader.verify(made.path, keys=office.trail.pin, authorities=trusted.read_text())
    exit_code, script = by_script(made.path, office.trail.pin, tsa=trusted)

    assert (code, exit_code) == (3, 3)
    assert [code for code, _words in script["unproven"]] == ["anchor"]
    assert "RSA-PSS is for openssl ts" in reader.text(".unproven")


def test_what_the_entries_tell_stands_apart(begin: Callable[[], Office], reader: Reader) -> None:
    office = begin()
    office.trail.run("good")
    office.trail.run("own", approver="rita")
    rita = office.trail.person("rita")
    office.trail.tell(started("open", rita), requested("open", rita), intended("open"))
    made = office.export()
    code = reader.verify(made.path, keys=office.trail.pin)
    told = [one.get_attribute("data-code") for one in reader.page.locator("#told li").all()]
    ours = verify_pack(made.path, [office.trail.pin], processes=1).semantics

    assert code == 0
    assert sorted(map(str, told)) == sorted(one for one, _ in ours)
    assert {"self-approval", "quorum", "run-without-end", "intent-without-end"} <= set(told)
    reader.verify(made.path, keys=office.trail.pin)
    assert len(reader.page.locator("#told li").all()) == len(told)


def test_all_three_verifiers_find_the_same_in_every_story(
    begin: Callable[[], Office], reader: Reader
) -> None:
    office = begin()
    for number, (members, _codes) in enumerate(STORIES.values()):
        recorded(office.trail, number, members)
    made = office.export()
    code = reader.verify(made.path, keys=office.trail.pin)
    shown = [one.get_attribute("data-code") or "" for one in reader.page.locator("#told li").all()]
    exit_code, script = by_script(made.path, office.trail.pin)
    ours = office.verified(made)
    wanted = sorted(" ".join(codes for _members, codes in STORIES.values()).split())
    untold = "intent-without-end"  # How an intent came out is no part of a story.

    assert code == exit_code == ours.exit == 0
    for said in (
        shown,
        [one for one, _ in script["semantics"]],
        [one for one, _ in ours.semantics],
    ):
        assert sorted(one for one in said if one != untold) == wanted


@pytest.mark.parametrize("name", HELD_STORIES)
def test_the_page_tells_what_went_in_spite_of_a_hold(
    begin: Callable[[], Office], reader: Reader, name: str
) -> None:
    tell, codes = HELD_STORIES[name]
    office = begin()
    tell(office.trail)
    made = office.export()

    assert reader.verify(made.path, keys=office.trail.pin) == 0
    shown = [one.get_attribute("data-code") for one in reader.page.locator("#told li").all()]
    assert shown == codes.split()


def test_the_page_recounts_a_sweep_where_it_shows_all_of_it(
    begin: Callable[[], Office], reader: Reader
) -> None:
    tell, _ = HELD_STORIES["swept, and more counted"]
    office = begin()
    tell(office.trail)
    told = []
    for start in (7, 9):
        made = office.export(f"from-{start}", start=start)
        assert reader.verify(made.path, keys=office.trail.pin) == 0
        shown = reader.page.locator("#told li").all()
        told.append([one.get_attribute("data-code") for one in shown])

    assert told == [["sweep-count"], []]
