"""The test vectors of the trail's contract, byte for byte (AUDIT.md section 17)."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from storage.audit_models import AuditEntryRow, AuditSubjectRow, AuditTreeRow
from storage.checkpoint import Checkpoint, NoteSigner, fingerprint, read_note, read_vkey
from storage.database import Database
from storage.entry_bytes import ENTRY_TYPE, body_of, leaf_hash, pae
from storage.heads import head, proof_of, receipt
from storage.journal import Journal, pseudonym
from storage.keys import LogKey, WriterKey
from storage.migrate import upgrade
from storage.tree import Tree, node_hash
from workflows.binding import canonical, commitment
from workflows.entry import INTERLOCK, SYSTEM, Actor, ActorKind, Draft, Part, Ref, RunId

ORIGIN = "interlock.example/audit/T0ABC"
LOG = LogKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20))), ORIGIN)
WRITER = WriterKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20, 0x40))))
SECOND = WriterKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(0x40, 0x60))))
SALT = bytes(range(0xA0, 0xC0))
SUBJECT_KEY = bytes(range(0xC0, 0xE0))
MESSAGE = "déploie 7 🚀".encode()
RITA = Ref("s:e5610ff81ebd0cae72459018ad99a6f1")
LINES = [
    line.encode()
    for line in (Path(__file__).parent / "vectors.jsonl").read_text("utf-8").splitlines()
]
LEAVES = [
    "31799e7d6552ad4c66e8192c452f86c095fe395fa5432102fb67b97f31724d9f",
    "980c1f862d6155fffe1698630ee4e2670bc85a050d866531ab96581256bdb2fe",
    "07be2bf5d0297ccb75f49866e8794e42ca361ee88b6fb5126892d7fb7446d65c",
]
ROOT_OF_2 = "1640f1dde5baacd25739f80a1f013ca2710bde0ba7cf9f477c2d9b76ad401271"
ROOT_OF_3 = "1d9adf544cdfc01c9f21f705efe4c2330c8c021fb30a4f3ef5012aecd3b6bfc7"
PROOF = (Path(__file__).parent / "vector.tlog-proof").read_text("utf-8")
DRAFTS = [
    Draft(
        kind="log.init",
        actor=SYSTEM,
        data={
            "entry_keys": [base64.b64encode(WRITER.public).decode()],
            "log_vkeys": [LOG.vkey],
        },
    ),
    Draft(
        kind="run.started",
        actor=Actor(kind=ActorKind.USER, ref=RITA),
        data={
            "trigger": "slash",
            "version": "60892d85c61da95a16f4b2217f373eb76b5d9ef74d81f2a5983f3218cb1a70b5",
            "workflow": "deploy",
        },
        parts={"message": Part(value=MESSAGE, salt=SALT, subject=RITA)},
        run=RunId("r1"),
    ),
    Draft(kind="run.finished", actor=INTERLOCK, data={"outcome": "done"}, run=RunId("r1")),
]


def a_clock() -> Iterator[datetime]:
    yield datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
    yield datetime(2026, 3, 2, 9, 0, 1, 500_999, tzinfo=UTC)
    yield datetime(2026, 3, 2, 9, 0, 2, 250_000, tzinfo=UTC)


@pytest.fixture
def written(database: Database) -> Database:
    """A log with the three entries, made by the journal with the vector's clock and ids."""
    upgrade(database.engine)
    ids = iter([bytes(range(start, start + 16)).hex() for start in (0x00, 0x10, 0x20)])
    entry_times = a_clock()
    head_time = datetime(2026, 3, 2, 9, 0, 3, tzinfo=UTC)
    journal = Journal(
        origin=ORIGIN,
        writer=WRITER,
        signers=[LOG],
        now=lambda: next(entry_times, head_time),
        new_id=lambda: next(ids),
    )
    with database.begin() as tx:
        for draft in DRAFTS:
            journal.append(tx, draft)
    return database


def test_keys() -> None:
    assert LOG.vkey == f"{ORIGIN}+f95eb5bb+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    assert LOG.key.id == "56475aa75463474c"
    assert read_vkey(LOG.vkey) == LOG.key
    assert base64.b64encode(WRITER.public) == b"Kay64UG8yvCyLhqU000LxzYeUm0L/hLIl5S8kyKWbdc="
    assert (WRITER.id, SECOND.id) == ("24f6ed6acbfe1009", "03396219237f75a6")
    assert base64.b64encode(SECOND.possession(ORIGIN)) == (
        b"wSUj1L//3vJJZTcPazYbXnQHO5sqO1UfErsKHqu11595vOIvhM8NjGdhkaZJR+ZK1YUP78DomT6sI5nBh1h8Dw=="
    )


def test_canonical_form() -> None:
    value = {"b": [True, None, -7], "a": 'é\x1f"/\u2028', "B": 9007199254740991}

    assert canonical(value).hex() == (  # type: ignore[arg-type]
        "7b2242223a393030373139393235343734303939312c2261223a22c3a95c75303031665c222fe280a8"
        "222c2262223a5b747275652c6e756c6c2c2d375d7d"
    )


def test_part_and_subject() -> None:
    assert MESSAGE.hex() == "64c3a9706c6f6965203720f09f9a80"
    assert commitment(SALT, "message", MESSAGE) == "Ljc0Hw9Uc3Nw/94zUcfoVNcnhZzTWgJfZvwyGMvwpr0="
    assert pseudonym(SUBJECT_KEY, "slack:T0ABC:U0RITA") == RITA


def test_the_journal_writes_the_three_entries(written: Database) -> None:
    with written.read() as connection:
        rows = connection.execute(
            select(AuditEntryRow.line, AuditEntryRow.leaf).order_by(AuditEntryRow.idx)
        ).all()
        tree = connection.execute(select(AuditTreeRow.size, AuditTreeRow.frontier)).one()

    assert [row.line.encode() for row in rows] == LINES
    assert [bytes(row.leaf).hex() for row in rows] == LEAVES
    assert (tree.size, bytes(tree.frontier).hex()) == (3, ROOT_OF_2 + LEAVES[2])


def test_the_stored_columns_are_those_of_the_line(written: Database) -> None:
    columns = (
        AuditEntryRow.idx,
        AuditEntryRow.run_id,
        AuditEntryRow.rseq,
        AuditEntryRow.ts,
        AuditEntryRow.kind,
        AuditEntryRow.actor_ref,
        AuditEntryRow.workflow,
    )
    with written.read() as connection:
        row = connection.execute(select(*columns).where(AuditEntryRow.idx == 1)).one()

    assert tuple(row) == (1, "r1", 0, "2026-03-02T09:00:01.500Z", "run.started", RITA, "deploy")


def test_the_lines_have_the_given_lengths_and_bodies() -> None:
    assert [len(line) for line in LINES] == [510, 585, 410]
    for line in LINES:
        members = json.loads(line)
        signature = members.pop("sig")
        assert canonical(members) == body_of(line)
        assert base64.b64encode(WRITER.sign(pae(ENTRY_TYPE, body_of(line)))).decode() == signature


def test_what_is_signed() -> None:
    message = pae(ENTRY_TYPE, body_of(LINES[1]))

    assert (len(ENTRY_TYPE), len(message)) == (35, 538)
    assert hashlib.sha256(message).hexdigest() == (
        "d19493fb8ed487d4bc2566f99b98780593feb79d420d833de9e7de6c93dc4fdc"
    )


def test_tree() -> None:
    leaves = [leaf_hash(line) for line in LINES]
    tree = Tree()
    tree.extend(leaves)

    assert [leaf.hex() for leaf in leaves] == LEAVES
    assert node_hash(*leaves[:2]).hex() == ROOT_OF_2
    assert tree.root().hex() == ROOT_OF_3
    assert fingerprint(tree.root()) == "HZrfVEzfwByf"


def test_checkpoint() -> None:
    note = NoteSigner([LOG]).sign(Checkpoint(ORIGIN, 3, bytes.fromhex(ROOT_OF_3)))

    assert len(Checkpoint(ORIGIN, 3, bytes.fromhex(ROOT_OF_3)).text.encode()) == 77
    assert PROOF.endswith(f"\n\n{note}")
    assert read_note(note).signers([LOG.key]) == [LOG.key]


def test_proof_head_and_receipt(written: Database) -> None:
    with written.read() as connection:
        assert proof_of(connection, 1) == PROOF
        assert head(connection).vkey == LOG.vkey
        found = receipt(connection, "101112131415161718191a1b1c1d1e1f")

    assert found is not None
    assert found.line == "#1 · leaf 980c1f86 · head 3/1d9adf54"


def test_a_person_met_again_keeps_their_pseudonym(database: Database, journal: Journal) -> None:
    with database.begin() as tx:
        first = journal.ref(tx, "slack:T0ABC:U0RITA", "Rita")
    with database.begin() as tx:
        again = journal.ref(tx, "slack:T0ABC:U0RITA")
        other = journal.ref(tx, "os:rita")
        row = tx.connection.execute(
            select(AuditSubjectRow.k, AuditSubjectRow.display).where(AuditSubjectRow.ref == first)
        ).one()

    assert first == again == pseudonym(bytes(row.k), "slack:T0ABC:U0RITA")
    assert other != first
    assert row.display == "Rita"
