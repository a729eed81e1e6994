"""The catalogue of attacks on the trail in a database, each under the name it must be given."""

from tests.storage.attacks import (
    ANCHORED,
    SHOWN,
    another_future,
    attack,
    came_back,
    cut_newest,
    erased_too_much,
    forge_as_stranger,
    forge_history,
    forge_with_writer_key,
    forged,
    head_beyond_the_log,
    head_of_a_stranger,
    head_of_another_tree,
    head_without_a_key,
    late_log_key,
    late_writer,
    odd_marker,
    other_actor,
    other_form,
    other_log,
    other_part,
    other_place,
    part_of_another,
    restored_backup,
    revoked_writer,
    rolled_back_to,
    sql,
    strangers_key,
    unsigned_entry,
    without_rules,
)
from tests.storage.forging import outcome
from tests.storage.trail import erase_person, sweep
from workflows.entry import PartClass

COLUMNS = "line, leaf, uid, run_id, rseq, ts, kind, actor_ref, workflow"

IN_LINES = [
    attack(
        "flip a value in a line",
        sql("UPDATE audit_entry SET line = replace(line, '\"done\"', '\"gone\"') WHERE idx = 6"),
        "leaf-mismatch root-mismatch entry-signature tree-state",
    ),
    attack(
        "change who acted",
        sql("UPDATE audit_entry SET line = replace(line, 's:', 's:0') WHERE idx = 3"),
        "leaf-mismatch entry-malformed",
    ),
    attack(
        "put a space into a line",
        sql("UPDATE audit_entry SET line = replace(line, '\"v\":1', '\"v\": 1') WHERE idx = 2"),
        "not-canonical leaf-mismatch",
    ),
    attack(
        "make a number a fraction",
        sql(
            "UPDATE audit_entry SET line = replace(line, '\"ms\":12', '\"ms\":12.0') WHERE idx = 5"
        ),
        "not-canonical leaf-mismatch",
    ),
    attack(
        "say a member twice",
        sql(
            'UPDATE audit_entry SET line = replace(line, \'"v":1\', \'"v":1,"v":1\') WHERE idx = 5'
        ),
        "not-canonical leaf-mismatch",
    ),
    attack(
        "change a moment",
        sql(
            "UPDATE audit_entry SET line = replace(line, '2026-03-02T', '2026-03-01T')"
            " WHERE idx = 3"
        ),
        "leaf-mismatch entry-signature root-mismatch",
    ),
    attack(
        "change a leaf",
        sql(
            "UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE idx = 0)"
            " WHERE idx = 3"
        ),
        "leaf-mismatch",
    ),
    attack("bring an entry from another log", forged("r7", other_log), "wrong-log"),
]
IN_ORDER = [
    attack(
        "drop an entry",
        sql("DELETE FROM audit_entry WHERE idx = 3"),
        "index-count truncated tree-state run-sequence run-chain",
    ),
    attack(
        "drop the first entry",
        sql("DELETE FROM audit_entry WHERE idx = 0"),
        "index-count entry-key truncated",
    ),
    attack("drop the newest entries", cut_newest, "truncated tree-state"),
    attack(
        "drop the mark of an erasure",
        sql("DELETE FROM audit_entry WHERE kind = 'erasure'"),
        "index-count part-missing truncated",
    ),
    attack(
        "swap two entries",
        sql(
            "UPDATE audit_entry SET idx = -1 WHERE idx = 4",
            "UPDATE audit_entry SET idx = 4 WHERE idx = 5",
            "UPDATE audit_entry SET idx = 5 WHERE idx = -1",
        ),
        "root-mismatch run-sequence run-chain",
    ),
    attack(
        "swap two entries of no run",
        sql(
            "UPDATE audit_entry SET idx = -1 WHERE idx = 100",
            "UPDATE audit_entry SET idx = 100 WHERE idx = 101",
            "UPDATE audit_entry SET idx = 101 WHERE idx = -1",
        ),
        "root-mismatch tree-state",
    ),
    attack(
        "move every place up by one",
        sql(
            "UPDATE audit_entry SET idx = -idx - 1",
            "UPDATE audit_entry SET idx = -idx",
        ),
        "index-count genesis",
    ),
    attack(
        "take an entry's place away",
        sql("UPDATE audit_entry SET idx = NULL WHERE idx = 100"),
        "index-count truncated tree-state",
    ),
    attack(
        "add an entry that nobody signed",
        unsigned_entry,
        "leaf-mismatch entry-signature tree-state",
    ),
    attack(
        "repeat an entry",
        without_rules(
            f"INSERT INTO audit_entry (seq, idx, {COLUMNS}) SELECT seq + 1000,"
            f" (SELECT max(idx) + 1 FROM audit_entry), {COLUMNS} FROM audit_entry WHERE idx = 6"
        ),
        "duplicate-id tree-state run-sequence",
    ),
]
IN_COLUMNS = [
    attack(
        f"tell a lie in the column {name}",
        without_rules(f"UPDATE audit_entry SET {name} = {value} WHERE idx = 3"),
        "index-row",
    )
    for name, value in (
        ("uid", "'00'"),
        ("run_id", "'r2'"),
        ("rseq", "7"),
        ("ts", "'2026-03-01T00:00:00.000Z'"),
        ("kind", "'approval.denied'"),
        ("actor_ref", "'s:nobody'"),
        ("workflow", "'other'"),
    )
]
IN_PARTS = [
    attack(
        "edit a part",
        sql("UPDATE audit_part SET body = salt WHERE name = 'message'"),
        "part-commitment",
    ),
    attack(
        "shorten a part",
        sql("UPDATE audit_part SET body = substr(body, 1, 3) WHERE name = 'preview'"),
        "part-commitment",
    ),
    attack(
        "change the salt of a part",
        sql("UPDATE audit_part SET salt = body WHERE name = 'message'"),
        "part-commitment",
    ),
    attack(
        "feign an erasure", sql("DELETE FROM audit_part WHERE name = 'preview'"), "part-missing"
    ),
    attack(
        "swap two parts",
        sql(
            "UPDATE audit_part SET salt = (SELECT salt FROM audit_part WHERE name = 'preview'"
            " ORDER BY entry_seq LIMIT 1) WHERE name = 'output'"
        ),
        "part-commitment",
    ),
    attack(
        "rename a part",
        sql("UPDATE audit_part SET name = 'args' WHERE name = 'preview'"),
        "disclosure-orphan part-missing",
    ),
    attack(
        "move a part to a class that is kept for longer",
        sql("UPDATE audit_part SET cls = 'business' WHERE name = 'preview'"),
        "index-row",
    ),
    attack(
        "put a part among those of somebody else, to have it erased with them",
        sql("UPDATE audit_part SET subject_ref = 's:eve' WHERE name = 'output'"),
        "index-row",
    ),
    attack("give a part to another entry", part_of_another, "disclosure-orphan part-missing"),
    attack("delete what came after the mark of an erasure", erased_too_much, "part-missing"),
    attack(
        "bring an erased part back",
        came_back(lambda trail: erase_person(trail, "rita"), "message"),
        "part-not-erased",
    ),
    attack(
        "bring a swept part back",
        came_back(lambda trail: sweep(trail, PartClass.BUSINESS), "output"),
        "part-not-erased",
    ),
    attack(
        "put another person behind a pseudonym",
        sql("UPDATE audit_subject SET external_id = 'slack:T0ABC:eve' WHERE display = 'Ana'"),
        "subject-ref",
    ),
    attack(
        "change the key of a pseudonym",
        sql(
            "UPDATE audit_subject SET k = (SELECT salt FROM audit_part LIMIT 1)"
            " WHERE display = 'Ana'"
        ),
        "subject-ref",
    ),
]

IN_HEADS = [
    attack(
        "name another log in the heads",
        sql("UPDATE audit_checkpoint SET note = replace(note, 'audit/T0ABC', 'audit/T0ABD')"),
        "checkpoint-origin",
    ),
    attack(
        "put another root into the newest head",
        head_without_a_key,
        "root-mismatch checkpoint-signature",
    ),
    attack(
        "add a line to a head",
        sql("UPDATE audit_checkpoint SET note = replace(note, '\n\n', '\nmore\n\n')"),
        "checkpoint-malformed",
    ),
    attack(
        "move the newest head to another size",
        sql("UPDATE audit_checkpoint SET size = size + 1 WHERE kept_because IS NULL"),
        "checkpoint-malformed",
    ),
    attack(
        "show an old head as the newest",
        sql(
            "UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE size ="
            f" {ANCHORED}) WHERE kept_because IS NULL"
        ),
        "checkpoint-malformed",
    ),
    attack("remove every head", sql("DELETE FROM audit_checkpoint"), "checkpoint-missing"),
    attack(
        "remove the newest head",
        sql("DELETE FROM audit_checkpoint WHERE kept_because IS NULL"),
        "checkpoint-missing",
    ),
    attack(
        "remove the head of a rotation",
        sql("DELETE FROM audit_checkpoint WHERE kept_because = 'rotation'"),
        "checkpoint-untrusted",
    ),
    attack(
        "remove a head that somebody holds",
        sql(f"DELETE FROM audit_checkpoint WHERE size = {SHOWN}"),
        unproven="pin-not-kept",
        needs_note=True,
    ),
    attack("sign the newest head as a stranger", head_of_a_stranger, "checkpoint-untrusted"),
    attack("promise entries that are not there", head_beyond_the_log, "truncated"),
]
IN_TREE = [
    attack("edit the tree's size", sql("UPDATE audit_tree SET size = size + 1"), "tree-state"),
    attack(
        "edit the frontier",
        sql("UPDATE audit_tree SET frontier = (SELECT leaf FROM audit_entry WHERE idx = 0)"),
        "tree-state",
    ),
    attack("remove the tree", sql("DELETE FROM audit_tree"), "tree-state"),
    attack(
        "feign a tile",
        sql(
            "INSERT INTO audit_tile (level, n, hash)"
            " SELECT 2, 0, leaf FROM audit_entry WHERE idx = 0"
        ),
        "tree-state",
    ),
    attack(
        "edit a tile",
        sql("UPDATE audit_tile SET hash = (SELECT leaf FROM audit_entry WHERE idx = 0)"),
        "tree-state",
    ),
    attack("remove a tile", sql("DELETE FROM audit_tile"), "tree-state"),
    attack("remove the table of tiles", sql("DROP TABLE audit_tile"), "tree-state"),
]
WITH_KEYS = [
    attack("rewrite with a stolen writer key", forge_with_writer_key, "root-mismatch tree-state"),
    attack("rewrite as a writer nobody enrolled", forge_as_stranger, "entry-key"),
    attack("sign another tree with a stolen log key", head_of_another_tree, "root-mismatch"),
    attack("break a run's order, with both keys", forged("r7", outcome("x"), back=1), "run-chain"),
    attack("repeat a place in a run, with both keys", forged("r7", other_place), "run-sequence"),
    attack("misspell a moment, with both keys", forged("r7", other_form), "ts-format"),
    attack(
        "exchange a commitment, with both keys", forged("r7", other_part, back=1), "part-commitment"
    ),
    attack("make an actor up, with both keys", forged("r7", other_actor), "entry-malformed"),
    attack("write with a key that was ended", late_writer, "entry-key-retired"),
    attack("sign a head with a key that was ended", late_log_key, "checkpoint-untrusted"),
    attack("enrol a key without showing it", strangers_key, "key-pop"),
    attack("write with a key that is revoked later", revoked_writer, unproven="revoked-window"),
    attack(
        "rewrite what an outside head covers, with both keys",
        forge_history,
        "root-mismatch",
        needs_note=True,
    ),
    attack(
        "restore a backup from before an outside head",
        restored_backup,
        "truncated",
        needs_note=True,
    ),
    attack(
        "let another history grow from a backup", another_future, "root-mismatch", needs_note=True
    ),
    attack(
        "roll back to a head from before an outside one, with no key",
        rolled_back_to(ANCHORED, "DELETE FROM audit_tile"),
        "truncated",
        needs_note=True,
    ),
    # The remainder: what came after the newest copy of a head that the attacker cannot reach.
    attack("rewrite what no outside head covers, with both keys", forged("r7", outcome("failed"))),
    attack("roll back to the newest outside head", rolled_back_to(SHOWN)),
    attack("put a marker that nobody can read where no head covers it", forged("r7", odd_marker)),
]
CATALOGUE = [*IN_LINES, *IN_ORDER, *IN_COLUMNS, *IN_PARTS, *IN_HEADS, *IN_TREE, *WITH_KEYS]
