"""What the owner of the database can do to it, and the name under which `verify` finds it."""

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import Checkpoint, NoteSigner, Signer, read_note
from storage.database import Database, open_database
from storage.entry_bytes import ENTRY_TYPE, body_of, leaf_hash, pae
from storage.keys import LogKey, WriterKey
from storage.tree import Tree
from storage.verify import Report, verify_database
from tests.storage.trail import (
    ORIGIN,
    Trail,
    begin_trail,
    erase_person,
    outside,
    rotate_log_key,
    rotate_writer,
    sweep,
)
from workflows.binding import canonical
from workflows.entry import INTERLOCK, Draft, PartClass, RunId


@pytest.fixture
def trail(database_url: str, database: Database, home: Path) -> Trail:
    begun = begin_trail(database_url, database, home)
    begun.run("r1")
    begun.run("r2", denied=True)
    begun.run("r3")
    return begun


def verified(trail: Trail, *notes: str) -> Report:
    return verify_database(trail.url, [trail.pin], notes, now=trail.clock, processes=1)


@dataclass(frozen=True)
class Forgery:
    """SQL that changes what was recorded, and what must be found at least."""

    name: str
    sql: tuple[str, ...]
    codes: frozenset[str]


def forgery(name: str, *sql: str, codes: str) -> Forgery:
    return Forgery(name, sql, frozenset(codes.split()))


FORGERIES = [
    forgery(
        "flip a value in a line",
        "UPDATE audit_entry SET line = replace(line, '\"done\"', '\"gone\"') WHERE idx = 6",
        codes="leaf-mismatch root-mismatch entry-signature tree-state",
    ),
    forgery(
        "change who acted",
        "UPDATE audit_entry SET line = replace(line, 's:', 's:0') WHERE idx = 3",
        codes="leaf-mismatch entry-malformed",
    ),
    forgery(
        "put a space into a line",
        "UPDATE audit_entry SET line = replace(line, '\"v\":1', '\"v\": 1') WHERE idx = 2",
        codes="not-canonical leaf-mismatch",
    ),
    forgery(
        "drop an entry",
        "DELETE FROM audit_entry WHERE idx = 3",
        codes="index-count truncated tree-state run-sequence run-chain",
    ),
    forgery(
        "swap two entries",
        "UPDATE audit_entry SET idx = -1 WHERE idx = 4",
        "UPDATE audit_entry SET idx = 4 WHERE idx = 5",
        "UPDATE audit_entry SET idx = 5 WHERE idx = -1",
        codes="root-mismatch run-sequence run-chain",
    ),
    forgery(
        "change a leaf",
        "UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE idx = 0) WHERE idx = 3",
        codes="leaf-mismatch",
    ),
    forgery(
        "edit a part",
        "UPDATE audit_part SET body = salt WHERE name = 'message'",
        codes="part-commitment",
    ),
    forgery("remove a part", "DELETE FROM audit_part WHERE name = 'preview'", codes="part-missing"),
    forgery(
        "swap two parts",
        "UPDATE audit_part SET salt = (SELECT salt FROM audit_part WHERE name = 'preview'"
        " ORDER BY entry_seq LIMIT 1) WHERE name = 'output'",
        codes="part-commitment",
    ),
    forgery(
        "rename a part",
        "UPDATE audit_part SET name = 'args' WHERE name = 'preview'",
        codes="disclosure-orphan part-missing",
    ),
    forgery(
        "put another person behind a pseudonym",
        "UPDATE audit_subject SET external_id = 'slack:T0ABC:mallory' WHERE display = 'Ana'",
        codes="subject-ref",
    ),
    forgery(
        "edit the head's root",
        "UPDATE audit_checkpoint SET note = replace(note, 'audit/T0ABC', 'audit/T0ABD')",
        codes="checkpoint-origin",
    ),
    forgery(
        "move the head to another size",
        "UPDATE audit_checkpoint SET size = size + 1 WHERE kept_because IS NULL",
        codes="checkpoint-malformed",
    ),
    forgery("remove every head", "DELETE FROM audit_checkpoint", codes="checkpoint-missing"),
    forgery(
        "remove the newest head",
        "DELETE FROM audit_checkpoint WHERE kept_because IS NULL",
        codes="checkpoint-missing",
    ),
    forgery("edit the tree's size", "UPDATE audit_tree SET size = size + 1", codes="tree-state"),
    forgery("remove the tree", "DELETE FROM audit_tree", codes="tree-state"),
    forgery(
        "feign a tile",
        "INSERT INTO audit_tile (level, n, hash) SELECT 1, 0, leaf FROM audit_entry WHERE idx = 0",
        codes="tree-state",
    ),
]


@pytest.mark.parametrize("change", FORGERIES, ids=lambda change: change.name)
def test_a_forgery_is_found(trail: Trail, change: Forgery) -> None:
    trail.run_sql(*change.sql)
    report = verified(trail)

    assert report.exit == 1
    assert change.codes <= report.codes


def test_readable_columns_that_lie_are_found(trail: Trail) -> None:
    trail.as_plain_tables()
    trail.run_sql("UPDATE audit_entry SET actor_ref = 's:nobody' WHERE idx = 3")

    assert verified(trail).failures == [
        ("index-row", "The columns of entry 3 differ from its line.")
    ]


def test_an_entry_repeated_is_found(trail: Trail) -> None:
    trail.as_plain_tables()
    trail.run_sql(
        "INSERT INTO audit_entry (seq, idx, line, leaf, uid, run_id, rseq, ts, kind, actor_ref,"
        " workflow) SELECT seq + 1000, 16, line, leaf, uid, run_id, rseq, ts, kind, actor_ref,"
        " workflow FROM audit_entry WHERE idx = 6"
    )

    assert {"duplicate-id", "tree-state", "run-sequence"} <= verified(trail).codes


def test_a_cut_tail_shows_only_against_an_outside_note(trail: Trail) -> None:
    note = trail.outside_note()
    restore_to(trail, 7)

    assert verified(trail).exit == 0
    assert verified(trail, note).codes == {"truncated"}


def test_a_second_history_with_the_same_keys_is_refused(trail: Trail) -> None:
    note = trail.outside_note()
    restore_to(trail, 7)
    trail.run("other")
    trail.run("another")
    trail.run("more")

    assert verified(trail).exit == 0
    assert "root-mismatch" in verified(trail, note).codes


def test_an_outside_note_of_another_log_is_refused(trail: Trail, tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "other.db"))
    other = begin_trail(str(tmp_path / "other.db"), database, tmp_path / "elsewhere")
    note = other.outside_note()
    database.close()

    assert "checkpoint-untrusted" in verified(trail, note).codes


def test_an_outside_note_with_one_letter_changed_is_refused(trail: Trail) -> None:
    note = trail.outside_note()
    root = read_note(note).checkpoint.root
    forged = note.replace(
        base64.b64encode(root).decode(), base64.b64encode(hashlib.sha256(root).digest()).decode()
    )

    assert {"root-mismatch", "checkpoint-signature"} <= verified(trail, forged).codes


def test_a_note_that_is_none_is_refused(trail: Trail) -> None:
    assert verified(trail, "hello").codes == {"checkpoint-malformed"}


def test_an_entry_rewritten_and_sealed_by_a_stranger_is_found(trail: Trail) -> None:
    stranger = WriterKey.of(Ed25519PrivateKey.generate())
    rewrite(trail, 6, outcome="failed", writer=stranger, signer=None)

    assert {"entry-key", "root-mismatch"} <= verified(trail).codes


def test_a_history_rewritten_with_every_key_shows_against_an_outside_note(trail: Trail) -> None:
    note = trail.outside_note()
    last = len(leaves(trail)) - 1
    rewrite(
        trail,
        last,
        outcome="failed",
        writer=trail.journal.writer,
        signer=trail.journal.sequencer.signers[0],
    )

    assert verified(trail).exit == 0
    assert "root-mismatch" in verified(trail, note).codes


def test_a_head_signed_by_a_stranger_is_found(trail: Trail) -> None:
    stranger = LogKey.of(Ed25519PrivateKey.generate(), ORIGIN)
    tree = Tree()
    tree.extend(leaves(trail))
    note = NoteSigner([stranger]).sign(Checkpoint(ORIGIN, tree.size, tree.root()))
    trail.run_sql(f"UPDATE audit_checkpoint SET note = '{note}' WHERE size = {tree.size}")

    assert verified(trail).codes == {"checkpoint-untrusted"}


def test_an_erasure_that_was_not_carried_out_is_found(trail: Trail) -> None:
    trail.run_sql("CREATE TABLE spare AS SELECT * FROM audit_part")
    erase_person(trail, "rita")
    trail.run_sql(
        "INSERT INTO audit_part SELECT * FROM spare WHERE name = 'message'", "DROP TABLE spare"
    )

    assert verified(trail).codes == {"part-not-erased"}


def test_a_swept_part_that_came_back_is_found(trail: Trail) -> None:
    trail.run_sql("CREATE TABLE spare AS SELECT * FROM audit_part")
    sweep(trail, PartClass.BUSINESS)
    trail.run_sql(
        "INSERT INTO audit_part SELECT * FROM spare WHERE name = 'output'", "DROP TABLE spare"
    )

    assert verified(trail).codes == {"part-not-erased"}


def test_a_marker_explains_nothing_that_was_recorded_after_it(trail: Trail) -> None:
    erase_person(trail, "rita")
    trail.run("r4")
    trail.run_sql("DELETE FROM audit_part WHERE name = 'message'")

    assert verified(trail).codes == {"part-missing"}


def test_a_marker_hidden_by_its_columns_is_found(trail: Trail) -> None:
    erase_person(trail, "rita")
    trail.as_plain_tables()
    trail.run_sql("UPDATE audit_entry SET kind = 'service.started' WHERE kind = 'erasure'")

    assert {"index-row", "part-missing"} <= verified(trail).codes


def test_a_retired_writer_that_goes_on_is_found(trail: Trail) -> None:
    old = trail.journal
    rotate_writer(trail)
    trail.run_sql()  # With the triggers away, which would refuse it.
    with trail.database.begin() as tx:
        old.append(
            tx, Draft(kind="hold.lifted", actor=INTERLOCK, data={"hold": "h", "reason": "x"})
        )

    assert verified(trail).codes == {"entry-key-retired"}


def test_a_writer_enrolled_without_showing_its_key_is_found(trail: Trail) -> None:
    fresh = WriterKey.of(Ed25519PrivateKey.generate())
    proof = trail.journal.writer.possession(ORIGIN)
    trail.tell(
        outside(
            "key.add",
            {
                "role": "entry",
                "pk": base64.b64encode(fresh.public).decode(),
                "pop": base64.b64encode(proof).decode(),
                "holder": "mallory",
            },
        )
    )

    assert verified(trail).codes == {"key-pop"}


def test_what_a_stolen_key_signed_is_unproven(trail: Trail) -> None:
    rotate = trail.journal.writer.id
    rotate_writer(trail)
    trail.tell(outside("key.revoke", {"id": rotate, "from": 10}))
    report = verified(trail)

    assert report.exit == 3
    assert {code for code, _text in report.unproven} == {"revoked-window"}


def test_a_log_key_that_signs_after_its_end_does_not_count(trail: Trail) -> None:
    old = trail.journal.sequencer.signers[0]
    rotate_log_key(trail)
    trail.tell(outside("hold.lifted", {"hold": "h", "reason": "x"}))
    sign_newest_head(trail, old)

    assert verified(trail).codes == {"checkpoint-untrusted"}


def sign_newest_head(trail: Trail, signer: Signer) -> None:
    """Put a head of that key alone into the place of the newest one."""
    tree = Tree()
    tree.extend(leaves(trail))
    note = NoteSigner([signer]).sign(Checkpoint(ORIGIN, tree.size, tree.root()))
    trail.run_sql(f"UPDATE audit_checkpoint SET note = '{note}' WHERE size = {tree.size}")


def test_a_rotation_that_the_old_key_did_not_sign_is_not_followed(trail: Trail) -> None:
    fresh = rotate_log_key(trail)
    tree = Tree()
    tree.extend(leaves(trail)[:-1])
    alone = NoteSigner([fresh]).sign(Checkpoint(ORIGIN, tree.size, tree.root()))
    trail.run_sql(
        f"UPDATE audit_checkpoint SET note = '{alone}' WHERE size = {tree.size}",
    )

    assert verified(trail).codes == {"checkpoint-untrusted"}


def test_a_bad_second_line_rejects_a_rotation_head(trail: Trail) -> None:
    fresh = rotate_log_key(trail)
    tree = Tree()
    tree.extend(leaves(trail)[:-1])
    note = stored_note(trail, tree.size)
    line = note.splitlines()[-1]
    broken = line[:-9] + ("A" if line[-9] != "A" else "B") + line[-8:]
    trail.run_sql(
        f"UPDATE audit_checkpoint SET note = replace(note, '{line}', '{broken}')"
        f" WHERE size = {tree.size}"
    )

    assert fresh.key.name in line
    assert "checkpoint-signature" in verified(trail).codes


def test_a_line_that_is_no_text_is_told_without_a_crash(trail: Trail) -> None:
    trail.as_plain_tables()
    if trail.database.dialect == "sqlite":
        trail.run_sql("UPDATE audit_entry SET line = x'ff00fe' WHERE idx = 4")
    else:
        trail.run_sql("UPDATE audit_entry SET line = 'no json' WHERE idx = 4")

    assert {"not-canonical", "leaf-mismatch"} <= verified(trail).codes


def leaves(trail: Trail) -> list[bytes]:
    with trail.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM audit_entry ORDER BY idx")
        return [bytes(leaf) for (leaf,) in rows]


def stored_note(trail: Trail, size: int) -> str:
    with trail.database.read() as connection:
        rows = connection.exec_driver_sql(f"SELECT note FROM audit_checkpoint WHERE size = {size}")
        return str(rows.scalar_one())


def restore_to(trail: Trail, size: int) -> None:
    """Cut everything from `size` on, and sign the rest anew with the right key."""
    tree = Tree()
    tree.extend(leaves(trail)[:size])
    seal_again(trail, tree)
    trail.run_sql(
        "DELETE FROM audit_part WHERE entry_seq IN"
        f" (SELECT seq FROM audit_entry WHERE idx >= {size})",
        f"DELETE FROM audit_entry WHERE idx >= {size}",
    )


def seal_again(trail: Trail, tree: Tree) -> None:
    note = NoteSigner(trail.journal.sequencer.signers).sign(
        Checkpoint(ORIGIN, tree.size, tree.root())
    )
    hexed = tree.dump().hex()
    frontier = f"x'{hexed}'" if trail.database.dialect == "sqlite" else f"'\\x{hexed}'"
    trail.run_sql(
        f"DELETE FROM audit_checkpoint WHERE size >= {tree.size}",
        "INSERT INTO audit_checkpoint (size, note, created_at)"
        f" VALUES ({tree.size}, '{note}', '2026-03-02 09:00:00.000000')",
        f"UPDATE audit_tree SET size = {tree.size}, frontier = {frontier}",
    )


def rewrite(
    trail: Trail, index: int, *, outcome: str, writer: WriterKey, signer: LogKey | None
) -> None:
    """Replace the entry by one with another outcome, signed by `writer`, leaf and all."""
    members = json.loads(trail.line(index))
    members["data"]["outcome"] = outcome
    members["key"] = writer.id
    members.pop("sig")
    body = canonical(members)
    signature = base64.b64encode(writer.sign(pae(ENTRY_TYPE, body))).decode()
    line = canonical({**members, "sig": signature})
    leaf = leaf_hash(line)
    stored = f"x'{leaf.hex()}'" if trail.database.dialect == "sqlite" else f"'\\x{leaf.hex()}'"
    trail.run_sql(
        f"UPDATE audit_entry SET line = '{line.decode()}', leaf = {stored} WHERE idx = {index}"
    )
    if signer is not None:
        tree = Tree()
        tree.extend(leaves(trail))
        seal_again(trail, tree)


def test_the_rewritten_line_is_a_proper_one(trail: Trail) -> None:
    rewrite(trail, 6, outcome="failed", writer=trail.journal.writer, signer=None)
    line = trail.line(6).encode()

    assert json.loads(line)["run"] == RunId("r1")
    assert canonical({k: v for k, v in json.loads(line).items() if k != "sig"}) == body_of(line)
