"""Packs of a trail, what can be done to a pack, and the codes under which it is found."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.entry_bytes import pae
from storage.evidence.export import Exported, Request, export
from storage.evidence.names import MANIFEST_TYPE
from storage.evidence.ranges import Bounds
from storage.keys import LogKey
from storage.store import SqlStore
from storage.verify import Report, verify_pack
from tests.forked import verifier
from tests.storage.trail import Trail
from workflows.binding import canonical
from workflows.people import PersonId

AUDITOR = PersonId("os:auditor")


@dataclass
class Office:
    """A trail, and packs of it."""

    trail: Trail
    folder: Path

    def export(
        self, name: str = "pack", *, start: int = 0, end: int | None = None, **wanted: object
    ) -> Exported:
        store = SqlStore(self.trail.database, self.trail.journal, now=self.trail.clock)
        bounds = Bounds(start=start, end=end)
        request = Request(out=self.folder / name, bounds=bounds, **wanted)  # type: ignore[arg-type]
        return export(store, request, person=AUDITOR, now=self.trail.clock())

    def verified(self, made: Exported, *notes: str, quick: bool = False) -> Report:
        return verify_pack(
            made.path, [self.trail.pin], notes, now=self.trail.clock, processes=1, quick=quick
        )


def by_script(
    pack: Path,
    *keys: str,
    notes: Sequence[Path] = (),
    witnesses: Sequence[str] = (),
    tsa: Path | None = None,
) -> tuple[int, dict[str, Any]]:
    """Return what the verifier of every pack says to whoever runs it."""
    words = [word for key in keys for word in ("--vkey", key)]
    words += [word for note in notes for word in ("--checkpoint", str(note))]
    words += [word for one in witnesses for word in ("--witness", one)]
    words += [] if tsa is None else ["--tsa", str(tsa)]
    done = verifier("--pack", str(pack), "--json", *words)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"failures": []}


def rewrite(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def attack(pack: Path) -> None:
        file = pack / name
        file.write_text(change(file.read_text()))

    return attack


def without_line(number: int) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        del lines[number]
        return "".join(lines)

    return change


def swapped(text: str) -> str:
    lines = text.splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    return "".join(lines)


def first_words_exchanged(text: str) -> str:
    lines = [json.loads(one) for one in text.splitlines()]
    lines[0]["d"], lines[1]["d"] = lines[1]["d"], lines[0]["d"]
    return "".join(json.dumps(one, sort_keys=True, separators=(",", ":")) + "\n" for one in lines)


def in_line(number: int, pattern: str, other: str) -> Callable[[Path], None]:
    """Write something else into an entry's line."""

    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        lines[number], count = re.subn(pattern, other, lines[number], count=1)
        assert count == 1
        return "".join(lines)

    return rewrite("entries.jsonl", change)


def without_last_row(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-1])


def sample_of_another(pack: Path) -> None:
    """Fill a sampled run's folder with the entries of another, and have the manifest agree."""
    one, other = sorted((pack / "samples").iterdir())
    (one / "entries.jsonl").write_bytes((other / "entries.jsonl").read_bytes())
    rewrite_with_manifest(f"samples/{one.name}/entries.jsonl", "", "")(pack)


def cut_leaves(pack: Path) -> None:
    leaves = pack / "leaves.bin"
    leaves.write_bytes(leaves.read_bytes()[:-32])


def exchanged_leaves(pack: Path) -> None:
    leaves = pack / "leaves.bin"
    found = leaves.read_bytes()
    leaves.write_bytes(found[:32] + found[64:96] + found[32:64] + found[96:])


def older_head(pack: Path) -> None:
    oldest = min((pack / "checkpoints").iterdir())
    (pack / "checkpoint").write_bytes(oldest.read_bytes())


def sign_as_stranger(pack: Path) -> None:
    """Sign the manifest with a key of one's own, under the name of the right one."""
    file = pack / "manifest.dsse.json"
    envelope = json.loads(file.read_text())
    message = pae(MANIFEST_TYPE, (pack / "manifest.json").read_bytes())
    signature = Ed25519PrivateKey.generate().sign(message)
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    file.write_text(json.dumps(envelope, sort_keys=True, separators=(",", ":")))


def resign(pack: Path, signer: LogKey, **members: object) -> None:
    """Say something else in the manifest, and sign it with that key."""
    payload = canonical({**json.loads((pack / "manifest.json").read_text()), **members})
    (pack / "manifest.json").write_bytes(payload)
    envelope = json.loads((pack / "manifest.dsse.json").read_text())
    signature = base64.b64encode(signer.sign(pae(MANIFEST_TYPE, payload))).decode()
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"] = [{"keyid": signer.key.id, "sig": signature}]
    (pack / "manifest.dsse.json").write_bytes(canonical(envelope))


def rewrite_with_manifest(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Change a file, and make the manifest agree with it."""

    def attack(pack: Path) -> None:
        rewrite(name, lambda text: text.replace(old, new, 1))(pack)
        manifest = json.loads((pack / "manifest.json").read_text())
        content = (pack / name).read_bytes()
        manifest["files"][name] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        (pack / "manifest.json").write_bytes(canonical(manifest))

    return attack


ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "change a value": (
        rewrite("entries.jsonl", lambda text: text.replace('"done"', '"gone"', 1)),
        "leaf-mismatch entry-signature file-hash",
    ),
    "drop an entry": (rewrite("entries.jsonl", without_line(4)), "leaf-mismatch range file-hash"),
    "swap two entries": (rewrite("entries.jsonl", swapped), "leaf-mismatch file-hash"),
    "repeat an entry": (
        rewrite("entries.jsonl", lambda text: text + text.splitlines(keepends=True)[-1]),
        "range duplicate-id file-hash",
    ),
    "cut the tail": (cut_leaves, "truncated file-hash tree-state"),
    "change the readable row": (
        rewrite("index.csv", lambda text: text.replace("run.started", "run.finished", 1)),
        "index-row file-hash",
    ),
    "exchange two payloads": (
        rewrite("disclosures.jsonl", first_words_exchanged),
        "part-commitment file-hash",
    ),
    "drop a payload": (rewrite("disclosures.jsonl", without_line(0)), "part-missing file-hash"),
    "repeat a payload": (
        rewrite("disclosures.jsonl", lambda text: text.splitlines(keepends=True)[0] + text),
        "disclosure-duplicate file-hash",
    ),
    "give a payload to nobody": (
        rewrite("disclosures.jsonl", lambda text: text.replace('"n":"', '"n":"x', 1)),
        "disclosure-orphan part-missing file-hash",
    ),
    "name somebody else": (
        rewrite("subjects.jsonl", lambda text: text.replace("T0ABC:ana", "T0ABC:eve")),
        "subject-ref file-hash",
    ),
    "change a row of a report": (
        rewrite("reports/approvals.csv", lambda text: text.replace("approval.", "x.", 1)),
        "index-row file-hash",
    ),
    "change the readable report": (
        rewrite("report.html", lambda text: text.replace("Integrity", "Certified", 1)),
        "file-hash",
    ),
    "change the newest head": (
        rewrite("checkpoint", lambda text: text.replace("\n", "\n1", 1)),
        "truncated checkpoint-signature file-hash",
    ),
    "change the tree": (
        rewrite("state.json", lambda text: text.replace('"frontier":"', '"frontier":"00', 1)),
        "tree-state file-hash",
    ),
    "change a proof": (
        rewrite("proofs/3.tlog-proof", lambda text: text.replace("index 3", "index 4")),
        "proof file-hash",
    ),
    "let an entry grow": (
        rewrite("entries.jsonl", lambda text: text.replace('"v":1', '"v":1,"w":2', 1)),
        "leaf-mismatch file-hash",
    ),
    "edit a payload": (
        rewrite("disclosures.jsonl", lambda text: text.replace('{"d":"', '{"d":"AAAA', 1)),
        "part-commitment file-hash",
    ),
    "exchange two leaves": (exchanged_leaves, "leaf-mismatch file-hash"),
    "take a kept head away": (
        lambda pack: (pack / "checkpoints" / "000000000001").unlink(),
        "file-missing",
    ),
    "put an older head in front": (older_head, "file-hash"),
    "sign the manifest as a stranger": (sign_as_stranger, "manifest-signature"),
    "change the manifest and what it says of a file": (
        rewrite_with_manifest("entries.jsonl", '"done"', '"gone"'),
        "leaf-mismatch entry-signature manifest-signature",
    ),
    "take a file away": (lambda pack: (pack / "README").unlink(), "file-missing"),
    "take the entries away": (lambda pack: (pack / "entries.jsonl").unlink(), "file-missing"),
    "put a file in": (lambda pack: (pack / "extra").write_text("x") and None, "file-extra"),
    "change the manifest": (
        rewrite("manifest.json", lambda text: text.replace('"tool":"', '"tool":"x', 1)),
        "manifest-signature",
    ),
    "nest a value deeper than a reader goes": (
        in_line(4, '"data":{', f'"data":{{"a":{"[" * 4000}{"]" * 4000},'),
        "entry-malformed leaf-mismatch",
    ),
    "let a text be who acted": (
        in_line(4, '"actor":{[^}]*}', '"actor":"eve"'),
        "entry-malformed leaf-mismatch",
    ),
    "make the parts of an entry a list": (
        in_line(1, '"parts":{.*},"prev"', '"parts":["message"],"prev"'),
        "entry-malformed leaf-mismatch",
    ),
    "misspell a moment": (
        in_line(4, '"ts":"[0-9-]+T', '"ts":"2026-02-30T'),
        "ts-format leaf-mismatch",
    ),
    "spell a signature otherwise": (
        in_line(4, '=="', '="'),
        "entry-signature leaf-mismatch",
    ),
    "forge a marker that nobody can read": (
        in_line(
            4, '"data":{.*"kind":"[a-z.]*"', '"data":{"items":[["a",["b"]],7]},"kind":"erasure"'
        ),
        "leaf-mismatch file-hash",
    ),
    "say a member of a payload twice": (
        rewrite("disclosures.jsonl", lambda text: text.replace('{"d":"', '{"d":"AAAA","d":"', 1)),
        "disclosure-orphan part-missing",
    ),
    "number a payload in letters": (
        rewrite(
            "disclosures.jsonl", lambda text: re.sub('"i":([0-9]+)', r'"i":"\1"', text, count=1)
        ),
        "disclosure-orphan part-missing",
    ),
    "name another log in the newest head": (
        rewrite("checkpoint", lambda text: text.replace("interlock.example", "evil.example")),
        "checkpoint-missing checkpoint-origin",
    ),
    "write the tree's size in letters": (
        rewrite("state.json", lambda text: re.sub('"size":([0-9]+)', r'"size":"\1"', text)),
        "tree-state file-hash",
    ),
    "leave the last run out of a report": (
        rewrite("reports/population.csv", without_last_row),
        "index-row file-hash",
    ),
    **{
        f"leave a decision out of {name}": (
            rewrite(f"reports/{name}.csv", without_last_row),
            "index-row file-hash",
        )
        for name in ("approvals", "sod")
    },
    **{
        f"tell twice of an entry in {name}": (
            rewrite(f"reports/{name}.csv", lambda text: text + text.splitlines(keepends=True)[-1]),
            "index-row file-hash",
        )
        for name in ("approvals", "population", "retention", "sod")
    },
    **{
        f"tell in {name} of another decision": (
            rewrite(f"reports/{name}.csv", lambda text: text.replace(",approved,", ",denied,", 1)),
            "index-row file-hash",
        )
        for name in ("approvals", "sod")
    },
    "tell another outcome of a run": (
        rewrite("reports/population.csv", lambda text: text.replace(",done,", ",denied,", 1)),
        "index-row file-hash",
    ),
    "tell of a run that ended as if it had not": (
        rewrite("reports/population.csv", lambda text: text.replace(",done,", ",open,", 1)),
        "index-row file-hash",
    ),
    "put a row that names no entry into a report": (
        rewrite("reports/population.csv", lambda text: f"{text}\r\nx,y\r\n"),
        "index-row file-hash",
    ),
    "give another run's entries as those of a sampled run": (
        sample_of_another,
        "range manifest-signature",
    ),
    "change the lines' ends": (
        rewrite("entries.jsonl", lambda text: text.replace("\n", "\r\n")),
        "not-canonical leaf-mismatch file-hash",
    ),
    "change the origin": (
        rewrite("manifest.json", lambda text: text.replace("interlock.example", "evil.example")),
        "wrong-log genesis manifest-signature",
    ),
}
