"""Our bytes as other people's software reads them, and what our own readers refuse."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from tlog_scales import signing, tlog

from storage.checkpoint import (
    BadSignatureError,
    Checkpoint,
    MalformedNoteError,
    NoteSigner,
    read_note,
    read_vkey,
)
from storage.entry_bytes import ENTRY_TYPE, MalformedEntryError, body_of, read_canonical, read_line
from storage.keys import LogKey, WriterKey
from storage.proofs import consistency, inclusion
from storage.verify.members import shape_fault
from storage.verify.regular import read_regular
from tests.storage.test_proofs import HASHES, LEAVES, reference_root
from workflows.binding import canonical

ORIGIN = "interlock.example/audit/T0ABC"
LOG = LogKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), ORIGIN)
WRITER = WriterKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))
LINES = (Path(__file__).parent / "vectors.jsonl").read_bytes().splitlines()
NOTE = NoteSigner([LOG]).sign(Checkpoint(ORIGIN, 3, bytes(32)))

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
KEYS = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53 - 1), 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_our_canonical_form_is_rfc_8785_and_reads_back(value: object) -> None:
    data = canonical(value)  # type: ignore[arg-type]

    assert data == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert read_canonical(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"1.5",
        b"1e3",
        b"1.0",
        b"NaN",
        b"-Infinity",
        b"-0",
        b"9007199254740992",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u0000"',
        b'"\\ud800"',
        b'{"a b":1}',
        b'{"":1}',
        b'"\xff"',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b"",
        b"{",
        b"null ",
        b"\xef\xbb\xbfnull",
    ],
)
def test_what_is_not_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedEntryError):
        read_canonical(data)


def test_thirty_two_levels_are_read() -> None:
    assert read_canonical(b"[" * 32 + b"]" * 32)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        LINES[0][:-1] + b',"w":1}',
        b'"' + b"x" * 16_383 + b'"',
    ],
)
def test_a_line_that_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedEntryError):
        read_line(line)


@pytest.mark.parametrize("line", LINES, ids=["log.init", "run.started", "run.finished"])
def test_securesystemslib_verifies_our_entries_as_dsse_envelopes(line: bytes) -> None:
    members = json.loads(line)
    envelope = Envelope.from_dict(
        {
            "payloadType": ENTRY_TYPE.decode(),
            "payload": base64.b64encode(body_of(line)).decode(),
            "signatures": [{"keyid": members["key"], "sig": members["sig"]}],
        }
    )
    key = SSlibKey(WRITER.id, "ed25519", "ed25519", {"public": WRITER.public.hex()})

    assert set(envelope.verify([key], 1)) == {WRITER.id}


@given(
    st.integers(0, 2**60),
    st.binary(min_size=32, max_size=32),
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3, unique=True),
)
def test_a_note_reads_back_with_all_its_signers(size: int, root: bytes, seeds: list[bytes]) -> None:
    signers = [LogKey.of(Ed25519PrivateKey.from_private_bytes(seed), ORIGIN) for seed in seeds]
    note = NoteSigner(signers).sign(Checkpoint(ORIGIN, size, root))
    read = read_note(note)

    assert read.checkpoint == Checkpoint(ORIGIN, size, root)
    assert read.signers([one.key for one in signers]) == [one.key for one in signers]


def test_one_bad_line_under_a_known_key_rejects_the_note() -> None:
    other = LogKey.of(Ed25519PrivateKey.generate(), ORIGIN)
    both = NoteSigner([LOG, other]).sign(Checkpoint(ORIGIN, 3, bytes(32)))
    line = both.splitlines()[-1]
    bad = both.replace(line, line[:-6] + ("AAAA" if line[-6:-2] != "AAAA" else "BBBB") + line[-2:])

    assert read_note(bad).signers([LOG.key]) == [LOG.key]
    with pytest.raises(BadSignatureError):
        read_note(bad).signers([LOG.key, other.key])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "hello",
        NOTE[:-1],
        NOTE.replace("\n3\n", "\n03\n"),
        NOTE.replace("\n3\n", "\n-3\n"),
        NOTE.replace("\n3\n", "\n3\nextension\n"),
        NOTE.replace("\N{EM DASH}", "-"),
        NOTE.replace("A=\n\n", "B=\n\n"),
        NOTE.replace("\n", "\r\n"),
        NOTE + "\n",
        NOTE.partition("\n\n")[0] + "\n\n",
        NoteSigner([LOG]).sign(Checkpoint(ORIGIN, 3, bytes(31))),
        NoteSigner([LOG]).sign(Checkpoint(ORIGIN, 3, bytes(33))),
        NoteSigner([LOG]).sign(Checkpoint(f"{ORIGIN}+", 3, bytes(32))),
    ],
)
def test_a_note_in_another_form_is_refused(note: str) -> None:
    with pytest.raises(MalformedNoteError):
        read_note(note)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        LOG.vkey.replace("f95eb5bb", "f95eb5bc"),
        LOG.vkey[:-4],
        LOG.vkey.replace("+AQ", "+AB"),
        LOG.vkey.replace("/", " "),
    ],
)
def test_a_verifier_key_in_another_form_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedNoteError):
        read_vkey(vkey)


def test_tlog_scales_accepts_our_note_and_key() -> None:
    read = tlog.Checkpoint.from_text(NOTE)
    vkey = signing.Vkey.from_string(LOG.vkey)
    read.verify(vkey)

    assert (read.origin, read.size, read.root_hash) == (ORIGIN, 3, bytes(32))
    assert read.serialize() == NOTE


@pytest.mark.parametrize("size", [1, 2, 3, 7, 256, 300])
def test_tlog_scales_accepts_our_proofs(size: int) -> None:
    for index in range(0, size, 7):
        proof = inclusion(HASHES, index, size)
        tlog.InclusionProof(index, size, proof).check(LEAVES[index], reference_root(0, size))
    for old in range(1, size, 11):
        joined = consistency(HASHES, old, size)
        tlog.ConsistencyProof(old, size, joined).check(
            reference_root(0, old), reference_root(0, size)
        )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_a_checkpoint_with_the_commands_we_print(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text(NOTE, encoding="utf-8")
    (tmp_path / "vkey").write_text(LOG.vkey + "\n", encoding="utf-8")
    script = r"""
    sed '/^$/,$d' checkpoint > text
    grep '^— ' checkpoint | head -n1 | awk '{print $3}' | base64 -d | tail -c 64 > sig
    { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
      cut -d+ -f3- vkey | base64 -d | tail -c 32; } > key.der
    openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in text -sigfile sig
    """
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Success" in done.stdout


@given(odd=VALUES, size=st.integers(0, 40))
def test_a_member_of_another_type_is_a_fault_of_the_entry_and_never_of_ours(
    odd: object, size: int
) -> None:
    whole = json.loads(LINES[1])
    for place in (("actor", "t"), ("actor", "ref"), ("parts", "message", "cls"), ("actor",)):
        members = json.loads(LINES[1])
        *around, last = place
        inner = members
        for name in around:
            inner = inner[name]
        inner[last] = odd
        told = shape_fault(members)
        assert told is None if members == whole else isinstance(told, str)
    members["actor"] = whole["actor"]
    spelt = base64.b64encode(bytes(size)).decode()
    members["parts"]["message"]["c"] = spelt

    # The pattern says of each spelling what decoding and encoding again would.
    assert (shape_fault(members) is None) is (size == 32)
    members["parts"]["message"]["c"] = f"{spelt[:-2]}B=" if size == 32 else odd
    assert shape_fault(members) is not None


@pytest.mark.parametrize(
    "odd",
    [
        {"v": 2},
        {"v": True},
        {"id": "0" * 31},
        {"key": "0" * 17},
        {"log": 7},
        {"sig": None},
        {"rseq": 1},
        {"rseq": -1},
        {"rseq": 0.0},
        {"prev": "0" * 64},
        {"run": "a run"},
        {"actor": {"t": "user", "ref": "rita"}},
        {"actor": {"t": "user", "ref": "s:" + "0" * 32, "name": "Rita"}},
        {"actor": {"t": "god", "ref": "interlock"}},
        {"data": []},
        {"parts": []},
        {"parts": {"Message": {"c": "A" * 43 + "=", "cls": "business", "len": 1}}},
        {"parts": {"message": {"c": "A" * 43 + "=", "cls": "business"}}},
        {"parts": {"message": {"c": "A" * 43 + "=", "cls": "business", "len": -1}}},
        {"parts": {"message": {"c": "A" * 43 + "=", "cls": "secret", "len": 1}}},
    ],
)
def test_members_of_another_shape_are_those_of_no_entry(odd: dict[str, object]) -> None:
    begun = json.loads(LINES[1])  # The first of its run.
    assert shape_fault(begun) is None
    outside = {**begun, "run": None, "parts": {}}
    assert shape_fault(outside) is None

    assert isinstance(shape_fault({**begun, **odd}), str)
    assert isinstance(shape_fault({**outside, **odd}), str)


def near(line: bytes) -> Iterator[bytes]:
    """Yield every line that differs from `line` at one place."""
    for place in range(len(line)):
        before, there, after = line[:place], line[place : place + 1], line[place + 1 :]
        yield before + after
        yield before + there * 2 + after
        for sign in b'0-a{},:" \\\x7f':
            yield before + bytes([sign]) + after


def test_a_line_that_is_read_quickly_is_what_reading_it_slowly_makes_of_it() -> None:
    two = json.loads(LINES[1])
    two["parts"]["plan"] = two["parts"]["message"]
    lines = [*LINES, canonical(two)]
    for whole in lines:
        assert read_regular(whole) == json.loads(whole)
    for line in (one for whole in lines for one in near(whole)):
        quick = read_regular(line)
        if quick is not None:
            assert (canonical(quick), shape_fault(quick)) == (line, None)


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":"d\\u006fne"}'),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":"done","outcome":"done"}'),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":1.0}'),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":NaN}'),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":9007199254740992}'),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":"\\u0000"}'),
        (b'"data":{"outcome":"done"}', b'"data":' + b'{"a":' * 40 + b"1" + b"}" * 40),
        (b'"data":{"outcome":"done"}', b'"data":' + b'{"a":' * 9_000),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":"done"},"e":{}'),
        (b'"data":{"outcome":"done"}', b'"data":{"outcome":"done"},"data":{}'),
        (b'"t":"bot"', b'"t":"user"'),
        (b'"run":"r1"', b'"run":null'),
        (b'"rseq":1,', b'"rseq":0,'),
        (b'"rseq":1,', b'"rseq":01,'),
        (b'"v":1}', b'"v":1}\n'),
        (b'"v":1}', b'"v":1} '),
        (b'"v":1}', b'"v":\xff}'),
    ],
)
def test_what_no_writer_writes_is_left_to_the_slow_reading(
    written: bytes, otherwise: bytes
) -> None:
    assert LINES[2].count(written) == 1

    assert read_regular(LINES[2].replace(written, otherwise)) is None
