"""What somebody with all keys of a log can write into a pack, and what all verifiers say of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.entry_bytes import leaf_hash
from storage.evidence import names
from tests.storage.forged_packs import (
    LOG,
    PIN,
    SALT,
    SUBJECT_KEY,
    WRITER,
    Files,
    Json,
    b64,
    entry,
    files_of,
    history,
    key_id,
    note_over,
    pack_of,
    part_of,
    proof_of,
    public,
    range_of,
    respelt,
)

BOM = b"\xef\xbb\xbf"
HEAD = "idx,ts,kind,run,actor,who,more\r\n"
STARTED = "1,2026-03-02T09:00:01.000Z,run.started,r1,{ref},slack:T0ABC:U0RITA,{more}\r\n"
POPULATION = names.report_name("population")
FINISHED = "2,2026-03-02T09:00:02.000Z,run.finished,r1,interlock,,x\r\n"

Forge = Callable[[Path], Path]


def with_files(change: Callable[[Files], object]) -> Forge:
    """Return what writes a pack of the usual history with other files, listed as they are."""

    def forge(out: Path) -> Path:
        files = files_of(history())
        change(files)
        return pack_of(files, out)

    return forge


def seeded(change: Callable[[Files], object] = lambda _: None, *, seed: str = "x") -> Forge:
    """Return what writes a pack in which a run was drawn, with its folder changed."""

    def forge(out: Path) -> Path:
        files = files_of(history())
        files["samples/r1/entries.jsonl"] = b"".join(b"%b\n" % one for one in history()[1:])
        for at in (1, 2):
            files[f"samples/r1/{names.proof_name(at)}"] = proof_of(history(), at)
        change(files)
        drawn = {"sample": {"count": 2, "seed": seed}}
        return pack_of(files, out, manifest=lambda one: one.update(filters=drawn))

    return forge


def beside_the_rest(files: Files) -> None:
    """Put a run's folder in that nobody drew."""
    files["samples/r2/entries.jsonl"] = b""


def unsaid(name: str) -> Forge:
    return lambda out: pack_of(files_of(history()), out, manifest=lambda one: one.pop(name))


def partial(*places: int) -> Forge:
    """Return what writes a pack of the newest two of six entries, with these as its context."""

    def forge(out: Path) -> Path:
        files = part_of(LONGER, 4)
        files[names.CONTEXT] = b"".join(b"%d\t%b\n" % (one, LONGER[one]) for one in places)
        return pack_of(files, out, start=4, size=6)

    return forge


def older_head(files: Files) -> None:
    """Let the newest head be one that was kept before."""
    files[names.checkpoint_name(2)] = files[names.CHECKPOINT] = note_over(history()[:2])


def edited(name: str, old: bytes, new: bytes) -> Forge:
    def change(files: Files) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return with_files(change)


def cut(name: str) -> Forge:
    return with_files(lambda files: files.update({name: files[name][:-1]}))


def head(change: Callable[[bytes], bytes]) -> Forge:
    def forge(files: Files) -> None:
        for name in (names.CHECKPOINT, names.checkpoint_name(3)):
            files[name] = change(files[name])

    return with_files(forge)


def and_line(words: bytes) -> Forge:
    return head(lambda note: note + "\N{EM DASH} ".encode() + words + b"\n")


def beside(name: str, content: bytes) -> Forge:
    return with_files(lambda files: files.update({name: content}))


def without(*gone: str) -> Forge:
    """Return what writes a pack that neither has nor lists some files."""
    return with_files(lambda files: [files.pop(one) for one in gone])


def unsigned(forge: Forge) -> Forge:
    """Return what writes a pack under a manifest of nobody, for which no key is needed."""

    def written(out: Path) -> Path:
        pack = forge(out)
        (pack / names.SIGNATURE).unlink()
        return pack

    return written


def report(*rows: str, start: str = HEAD) -> Forge:
    def change(files: Files) -> None:
        ref = files[names.INDEX].decode().splitlines()[2].split(",")[5]
        text = start + "".join(one.replace("{ref}", ref) for one in rows)
        files[POPULATION] = text.encode()

    return with_files(change)


def said(**members: object) -> Forge:
    return lambda out: pack_of(files_of(history()), out, manifest=lambda one: one.update(members))


def signed(change: Callable[[Json], object]) -> Forge:
    return lambda out: pack_of(files_of(history()), out, envelope=change)


def and_entry(line: bytes, **gone: bytes) -> Forge:
    def forge(out: Path) -> Path:
        return pack_of({**files_of([*history(), line]), **gone}, out, size=4)

    return forge


def untold(report_name: str, kind: str, data: Json) -> Forge:
    """Return what writes a pack with an entry of which its report does not tell."""
    name, header = names.report_name(report_name), b"idx,ts,kind,run,actor,who\n"
    return and_entry(entry(3, kind, data), **{name: header})


def ended_again(outcome: str) -> Forge:
    """Return what writes a pack with a run that was done, and then cancelled, as that."""
    done = history()[-1]
    again = entry(3, "run.cancelled", {}, run="r1", rseq=2, prev=b64(leaf_hash(done)))

    def forge(out: Path) -> Path:
        files = files_of([*history(), again])
        header, row = files[POPULATION].decode().splitlines()
        files[POPULATION] = f"{header},outcome\n{row},{outcome}\n".encode()
        return pack_of(files, out, size=4)

    return forge


def out_of_turn(out: Path) -> Path:
    """Write a pack with a payload for the first entry between those of two later ones."""
    begun = json.loads(history()[1])
    files = files_of([*history(), entry(3, "access.read", {}, parts=begun["parts"])])
    payload = files[names.DISCLOSURES]
    for place in (b"0", b"3"):
        files[names.DISCLOSURES] += payload.replace(b'"i":1', b'"i":' + place)
    return pack_of(files, out, size=4)


def of_before(out: Path) -> Path:
    """Write a pack of the last two of four entries, with a payload of one before them."""
    begun = json.loads(history()[1])
    lines = [*history(), entry(3, "access.read", {}, parts=begun["parts"])]
    files = files_of(lines)
    payload = files[names.DISCLOSURES]
    files = range_of(files, 2, lines)
    files[names.DISCLOSURES] = payload + payload.replace(b'"i":1', b'"i":3')
    return pack_of(files, out, start=2, size=4)


def decided_first(out: Path) -> Path:
    """Write a pack with a run that was decided on before it began, so by whom nobody can tell."""
    keys, begun, _ = history()
    decision = entry(1, "approval.granted", {}, run="r1")
    after = {"rseq": 1, "prev": b64(leaf_hash(decision)), "actor": json.loads(begun)["actor"]}
    lines = [keys, decision, entry(2, "run.started", {}, run="r1", **after)]
    header = "idx,ts,kind,run,actor,who"
    row = "1,2026-03-02T09:00:01.000Z,approval.granted,r1,interlock,"
    files = {**files_of(lines), names.DISCLOSURES: b""}
    for one in ("population", "approvals"):
        files[names.report_name(one)] = f"{header}\n{row}\n".encode()
    files[names.report_name("sod")] = f"{header},requester,requester_who\n{row},,\n".encode()
    return pack_of(files, out)


def marker(kind: str, data: Json) -> Forge:
    return and_entry(entry(3, kind, data), **{names.DISCLOSURES: b""})


def behind_the_leaves(out: Path) -> Path:
    """Write a pack with an erasure of which it has no hash."""
    files = files_of([*history(), entry(3, "erasure", {"items": []})])
    files[names.LEAVES] = files[names.LEAVES][:-32]
    return pack_of(files, out, size=4)


def padded(one: Json) -> None:
    """Spell the payload's last letter otherwise, with bits that mean nothing."""
    text = one["payload"].rstrip("=")
    assert len(text) % 4
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(text[-1]) + 1]
    one["payload"] = text[:-1] + last + "=" * (-len(text) % 4)


def nested(levels: int) -> list[Any]:
    """Return lists in lists."""
    return [nested(levels - 1)] if levels else []


COUNTED = entry(3, "access.read", {"n": 1})
FLAGGED = respelt(entry(3, "access.read", {}), b'"rseq":0', b'"rseq":true')


def revoked(**data: object) -> Forge:
    return and_entry(entry(3, "key.revoke", data))


LONGER = [
    *history(),
    entry(3, "erasure", {"items": []}),
    entry(4, "access.read", {}),
    entry(5, "access.read", {}),
]

HOSTILE: dict[str, tuple[Forge, int]] = {
    "nothing odd": (with_files(lambda _: None), 0),
    **{
        f"the last line end of {name} missing": (cut(name), 1)
        for name in (names.ENTRIES, names.INDEX, names.DISCLOSURES, names.SUBJECTS)
    },
    **{f"no {name}, and no word of it": (without(name), 1) for name in names.REQUIRED},
    "nothing of the log, and no word of it": (unsigned(without(*names.REQUIRED)), 1),
    "no people and another entry, and no word of it": (
        unsigned(
            with_files(
                lambda files: files.update(
                    {
                        names.ENTRIES: files[names.ENTRIES].replace(b"done", b"gone"),
                        "about-people.jsonl": files.pop(names.SUBJECTS),
                    }
                )
            )
        ),
        1,
    ),
    **{f"no {name}, and no word of it": (without(name), 1) for name in names.FOR_PEOPLE},
    **{
        f"a manifest that says nothing of {name}": (unsaid(name), 2)
        for name in ("size", "entry_type", "tool", "created", "period")
    },
    "a manifest for more entries": (said(size=4), 1),
    "a manifest for a size in letters": (said(size="3"), 2),
    "a manifest for other entries": (said(entry_type="text/plain"), 2),
    "a manifest of another period": (said(period=["2026-03-02T09:00:00.000Z"] * 2), 1),
    "a manifest whose period is one moment": (said(period=["2026-03-02T09:00:00.000Z"]), 2),
    "a manifest whose period is numbers": (said(period=[1, 2]), 2),
    "filters that are a list": (said(filters=[]), 2),
    "filters that say nothing": (said(filters={}), 0),
    "a sample without a seed": (said(filters={"sample": {"count": 1}}), 2),
    "a sample of a flag": (said(filters={"sample": {"count": True, "seed": ""}}), 2),
    "a sample of nothing": (said(filters={"sample": {"count": 0, "seed": ""}}), 0),
    "a run that was drawn": (seeded(), 0),
    "a run that was drawn, and no folder of it": (
        seeded(lambda files: [files.pop(one) for one in list(files) if "samples/" in one]),
        1,
    ),
    "a run that was drawn, without one of its proofs": (
        seeded(lambda files: files.pop("samples/r1/proofs/2.tlog-proof")),
        1,
    ),
    "a run that nobody drew": (seeded(beside_the_rest), 1),
    "an older head as the newest": (with_files(older_head), 1),
    "a part of a log": (partial(0, 3), 0),
    "a context that says something twice": (partial(0, 3, 3), 1),
    "a context in another order": (partial(3, 0), 1),
    "a context that tells of a run": (partial(0, 2, 3), 1),
    "a context without the first entry": (partial(3), 1),
    "a byte order mark before the index": (edited(names.INDEX, b"idx", BOM + b"idx"), 1),
    "a byte order mark before a row": (edited(names.INDEX, b"\n1,", b"\n" + BOM + b"1,"), 1),
    "a tab in a signature line": (and_line(b"ev\til AAAAAAAA"), 1),
    "no UTF-8 in a signature line": (and_line(b"ev\xffil AAAAAAAA"), 1),
    "a signature line without a signature": (and_line(b"x AAAAAA=="), 1),
    "a signature line of somebody unknown": (and_line(b"x AAAAAAAA"), 0),
    "a negative size": (head(lambda _: note_over(history(), size=-1)), 1),
    "a size of thirty digits": (head(lambda _: note_over(history(), size="1" * 30)), 1),
    "an odd name of a kept head": (beside("checkpoints/0000000000002", b"no head"), 0),
    "a range of three": (said(range=[0, 3, 4]), 2),
    "a range that ends before it begins": (said(range=[2, 1]), 2),
    "a disclosure of some other kind": (said(disclosure="most"), 2),
    "an envelope with a member too many": (signed(lambda one: one.update(more="x")), 1),
    "an envelope whose signatures are no list": (signed(lambda one: one.update(signatures={})), 1),
    "an envelope for something else": (signed(lambda one: one.update(payloadType="x")), 1),
    "a range beyond all integers": (said(range=[0, 2**53]), 2),
    "no list of files": (said(files=[]), 2),
    "no list of keys": (said(log_vkeys={PIN: 1}), 2),
    "an integer that not everybody can hold": (said(extra=2**60), 2),
    "names that are not sorted alike everywhere": (said(**{"\uffff": 1, "\U00010000": 2}), 2),
    "a value deeper than a reader goes": (said(extra=nested(40)), 2),
    "an envelope's payload in another spelling": (signed(padded), 1),
    "a signature without a key": (signed(lambda one: one["signatures"].append({"sig": "x"})), 1),
    "a signature that is a text": (signed(lambda one: one["signatures"].append("x")), 1),
    "an envelope with a fraction": (signed(lambda one: one.update(x=1.0)), 1),
    "a proof under a name that none has": (beside("proofs/01.tlog-proof", b"no proof"), 0),
    "a proof for an entry far away": (beside("proofs/9999999999999999.tlog-proof", b"x"), 1),
    "a sample of a run that none is": (beside("samples/a b/entries.jsonl", b"no entry\n"), 0),
    "a place with a zero before it": (beside(names.CONTEXT, b"07\tx\n"), 1),
    "a place of five thousand digits": (beside(names.CONTEXT, b"9" * 5000 + b"\tx\n"), 1),
    "a payload with a member too many": (edited(names.DISCLOSURES, b'{"d"', b'{"a b":1,"d"'), 1),
    "a payload out of turn": (out_of_turn, 1),
    "a payload of before the range": (of_before, 1),
    "a payload that stands twice": (
        with_files(lambda files: files.update({names.DISCLOSURES: files[names.DISCLOSURES] * 2})),
        1,
    ),
    "a payload without a salt": (edited(names.DISCLOSURES, b64(SALT).encode(), b""), 1),
    "zeros behind a salt": (
        edited(names.DISCLOSURES, b64(SALT).encode(), b64(SALT + bytes(8)).encode()),
        1,
    ),
    **{
        f"a person under {what}": (
            edited(names.SUBJECTS, b64(SUBJECT_KEY).encode(), b64(key).encode()),
            1,
        )
        for what, key in (
            ("another key", bytes(32)),
            ("a shorter key", SUBJECT_KEY[:-1]),
            ("no key", b""),
        )
    },
    "a person who stands twice": (
        with_files(lambda files: files.update({names.SUBJECTS: files[names.SUBJECTS] * 2})),
        1,
    ),
    "a person who is a number": (edited(names.SUBJECTS, b'"slack:T0ABC:U0RITA"', b"5"), 1),
    # Its column "more" is none that a verifier knows: nothing is wrong, and not all is proven.
    "a report in its order": (report(STARTED), 3),
    "a run that was decided on before it began": (decided_first, 0),
    "a run that ended twice": (ended_again("cancelled"), 0),
    "a run that ended twice, and as neither says": (ended_again("failed"), 1),
    "a run that ended twice, and as if it had not": (ended_again("open"), 1),
    "a population with a run twice": (report(STARTED, FINISHED), 1),
    "a report in another order": (report(FINISHED, STARTED), 1),
    "a report that tells twice of an entry": (report(STARTED, STARTED), 1),
    "a report that tells of an entry in two ways": (
        report(STARTED, STARTED.replace("{more}", "another")),
        1,
    ),
    **{
        f"a report that does not tell of {kind}": (untold(name, kind, data), 1)
        for name, kind, data in (
            ("changes", "key.retire", {"id": key_id(public(WRITER))}),
            ("retention", "erasure", {"items": []}),
            ("sod", "approval.refused", {}),
            ("exceptions", "schedule.missed", {}),
            ("ai", "model.asked", {}),
        )
    },
    "a report with a byte order mark": (report(STARTED, start="\ufeff" + HEAD), 1),
    "a row that ends twice": (report(STARTED.replace("{more}", "a\rb")), 1),
    "a row with no more than it must": (
        report(STARTED.replace(",{more}", ""), start=HEAD.replace(",more", "")),
        0,
    ),
    "a row with more cells than columns": (report(STARTED.replace("{more}", "{more},more")), 3),
    "a cell that nobody closes": (
        report(STARTED.replace("U0RITA,", 'U0RITA"",').replace(",slack", ',"slack')),
        1,
    ),
    **{
        f"a file under the name {name!r}": (beside(name, b"x"), 1)
        for name in ("Reports/sod.csv", "reports/SOD.csv", "reports\\sod.csv", "readme", "C:x")
    },
    **{
        f"a file under the name {name!r}": (beside(name, b"x"), verdict)
        for name, verdict in (("reports/sod.csv ", 1), ("reports /sod.csv", 1), ("notes", 0))
    },
    **{
        f"{what} in an entry": (and_entry(respelt(COUNTED, b'"n":1', b'"n":' + spelt)), 1)
        for what, spelt in (
            ("a number beyond what every reader holds", b"9007199254740992"),
            ("a number of thirty digits", b"1" * 30),
            ("a fraction that is whole", b"1.0"),
            ("a power of ten", b"1e0"),
            ("less than nothing by nothing", b"-0"),
        )
    },
    "an entry longer than readers read": (edited(names.ENTRIES, b"slash", b"x" * 200_000), 1),
    "something behind an entry": (edited(names.ENTRIES, b"\n", b"{}\n"), 1),
    "a space before an entry": (edited(names.ENTRIES, b"{", b" {"), 1),
    "a byte order mark before a head": (head(lambda note: BOM + note), 1),
    "a year that there is not": (
        and_entry(entry(3, "access.read", {}, ts="0000-01-01T00:00:00.000Z")),
        1,
    ),
    "an entry's id a second time": (and_entry(entry(2, "access.read", {})), 1),
    "a flag for a count": (and_entry(FLAGGED), 1),
    "the end of a key that is no text": (revoked(id=[1], **{"from": 0}), 1),
    "the end of no key": (revoked(**{"from": 0}), 1),
    "a key's end at a text": (revoked(id=key_id(public(WRITER)), **{"from": "x"}), 1),
    "a log key's end at a text": (revoked(id=key_id(public(LOG)), **{"from": "x"}), 1),
    "the revocation of the key that signs it": (
        revoked(id=key_id(public(WRITER)), **{"from": 3}),
        3,
    ),
    "a key retired from an entry on": (
        and_entry(entry(3, "key.retire", {"id": key_id(public(WRITER)), "from": 0})),
        0,
    ),
    "an erasure": (marker("erasure", {"items": [[1, "message"]]}), 0),
    "an erasure behind the last leaf": (behind_the_leaves, 1),
    "an erasure with something odd beside": (
        marker("erasure", {"items": ["x", [1, "message"]]}),
        0,
    ),
    "an erasure at a text": (marker("erasure", {"items": [["1", "message"]]}), 1),
    "an erasure at a flag": (marker("erasure", {"items": [[True, "message"]]}), 1),
    "an erasure of three": (marker("erasure", {"items": [[1, "message", 2]]}), 1),
    "a sweep before a flag": (
        marker("retention.sweep", {"cls": "personal.content", "before": True}),
        1,
    ),
}
