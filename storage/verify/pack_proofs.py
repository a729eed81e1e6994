"""The proofs in a pack: does each lead from an entry's leaf to a head that the log signed?"""

import re

from storage.checkpoint import BadSignatureError, MalformedNoteError, read_note
from storage.entry_bytes import decode64
from storage.evidence import names
from storage.proofs import PROOF_HEADER, ProofError, root_of_inclusion
from storage.verify.broken import BrokenPackError
from storage.verify.keyring import KeyRing
from storage.verify.pack_files import PackFiles, read_small
from storage.verify.report import Report

HASH = 32
NAME = re.compile(r"(?:samples/[A-Za-z0-9_-]{1,64}/)?proofs/(0|[1-9][0-9]{0,15})\.tlog-proof")
INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")


def judge_proofs(files: PackFiles, ring: KeyRing, report: Report) -> None:
    """Check every proof of the pack."""
    for name in sorted(files.names()):
        match = NAME.fullmatch(name)
        if match is None:
            continue
        index = int(match[1])
        try:
            check_proof(read_small(files, name).decode(), index, _leaf(files, index), ring)
        except (BrokenPackError, ProofError, BadSignatureError, ValueError) as error:
            report.fail("proof", f"{name} proves nothing: {error}")


def check_proof(text: str, index: int, leaf: bytes, ring: KeyRing) -> None:
    """Return if `text` proves that `leaf` is entry `index` under a head of a known key.

    Raises:
        ProofError: it does not, or it is no proof.
        BadSignatureError: a line of its note under a known key is false.
    """
    head, separator, note_text = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != PROOF_HEADER or len(lines) < 2:  # noqa: PLR2004  header, index
        raise ProofError("It does not read like a tlog-proof.")
    named = INDEX.fullmatch(lines[1])
    if named is None or int(named[1]) != index:
        raise ProofError("It is for another entry.")
    try:
        path = [decode64(one, HASH) for one in lines[2:]]
        note = read_note(note_text)
    except (MalformedNoteError, ValueError) as error:
        raise ProofError(str(error)) from error
    keys = [state.key for state in ring.log_keys]
    if note.checkpoint.origin != ring.origin or not note.signers(keys):
        raise ProofError("Its head is not signed by a key of this log.")
    size, root = note.checkpoint.size, note.checkpoint.root
    if root_of_inclusion(leaf, index=index, size=size, proof=path) != root:
        raise ProofError("It leads to another root.")


def _leaf(files: PackFiles, index: int) -> bytes:
    with files.open(names.LEAVES) as leaves:
        try:
            leaves.seek(index * HASH)
        except OSError:  # Further than a file can be long.
            raise ProofError("There is no such entry.") from None
        leaf = leaves.read(HASH)
    if len(leaf) != HASH:
        raise ProofError("There is no such entry.")
    return leaf
