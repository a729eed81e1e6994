"""The page that explains a pack to whoever opens it, with the commands that check it."""

import shlex

from storage.evidence.reports.page import About

TEXT = """\
An evidence pack, format audit-evidence/1
=========================================

Log        {origin}
Entries    {start} up to, and without, {end}, of {size}
Head       size {size}, fingerprint {fingerprint}
Payloads   {payloads}

What is here
------------
entries.jsonl      the entries, each line exactly as it was signed; "The kinds of entries" in
                   Interlock's docs (entry-kinds.md) says what each kind and field means
leaves.bin         the hash of every entry of the whole log, 32 bytes each
context.jsonl      entries outside the range that a check needs: keys, erasures
disclosures.jsonl  payloads; each entry commits to its own
subjects.jsonl     who is behind the pseudonyms that the entries name
index.csv          the readable columns of each entry
report.html        the range to read: counts, exceptions, what it does not prove
reports/           tables for a spreadsheet, see below
samples/           the entries and proofs of runs that were drawn, if any
proofs/            the proofs of single entries, if any were asked for
anchors/           what others say of heads of this log, if anything is held
checkpoint         the newest signed head; checkpoints/ has every head that was kept
state.json         the tree as it was stored
verify.py          a verifier in one file; verify.html is one for a browser, without network
manifest.json      every file with its hash; manifest.dsse.json is the log key's signature

How to check it
---------------
With Interlock, and the public key that you got another way than with this pack:

    interlock audit verify --pack . --vkey KEY --checkpoint NOTE

KEY is what `interlock init` printed, NOTE a head that you kept (from Slack, from a mail), of at
most {size} entries: what a larger one covers is younger than this pack, so the check would say
`truncated`. Exit code 0: the history shown is the history recorded. 1: it is not. 3: nothing wrong
was found, but something is unproven; it says what.

With Python and the package `cryptography`, and no Interlock; `verify.py` was written a second
time, from the specification:

    python verify.py --vkey KEY --checkpoint NOTE

Whoever trusts a witness adds `--witness KEY` to either, with the key of the witness; its lines
under heads of this log are judged then. `interlock audit verify --tsa FILE` has OpenSSL judge
the time stamps in anchors/, under the certificates in FILE.

With a browser and nothing else: open `verify.html`, drop this pack on it, and paste KEY and NOTE.
Better than this copy is one that you got another way: `interlock audit verifier --out FILE`.

The newest head, with nothing but OpenSSL. This writes files, and a file that is put into the pack
fails it, so it is done in a folder beside the pack; `vkey` is a file there with KEY:

    mkdir ../head && cp checkpoint ../head && cd ../head
    sed '/^$/,$d' checkpoint > text; grep '^\u2014 ' checkpoint | head -n1 | awk '{{print $3}}' | base64 -d | tail -c 64 > sig
    {{ printf '\\x30\\x2a\\x30\\x05\\x06\\x03\\x2b\\x65\\x70\\x03\\x21\\x00'; cut -d+ -f3- vkey | base64 -d | tail -c 32; }} > key.der
    openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in text -sigfile sig

The tables
----------
Each row begins with the entry it rests on: idx, ts, kind, run, actor as in index.csv, and who,
the account behind the actor as subjects.jsonl names it. Verifying compares these six with the
entry. The other columns are read from the entries of this pack and from nothing else, so of a
run that began before the range some are empty. A cell that a spreadsheet would take for a
formula begins with an apostrophe. Nobody's words are in the tables.

reports/population.csv   Which runs were there, and how did each end? Every run with an entry in
                         the range, at its first one here.
reports/approvals.csv    Who decided what, when, asked by which rules, after how many seconds?
reports/sod.csv          Did anybody decide what they had asked for? `overlap` says requester,
                         editor (changed the values), excluded (left out by the policy), alone
                         (broke the glass), none, or unknown where the run or its request began
                         before the range. Who tried and was refused has a row too: `wanted`
                         says what they tried, `wanted_by` who, `refused` why it did not count.
                         The same again within two days is no second row; each wrong code is one.
reports/exceptions.csv   break-glass with its review, late, expired, missed, in-doubt,
                         self-approval, self-approval-tried, code-refused, undelivered,
                         verification-failed and -unknown, moved (to another version),
                         proposal-refused (why, what was wanted, of which workflow).
reports/changes.csv      Who changed definitions, policy, roles, keys, tokens, secrets' versions,
                         schedules, and codes, from what to what?
reports/retention.csv    What was swept, erased and held back; for each class how many payloads
                         of the range are still held (`n`), the oldest one's entry, and when the
                         first of them is due. No `due` means that no term is set.
reports/ai.csv           Which models were asked with which template, and what did the first
                         person decide after the answer, in the same run?

How the sample was drawn
------------------------
{drawn}
What it shows, and what it cannot show
--------------------------------------
That the entries are those that were recorded, whole, unchanged and in order, up to a head that
you kept. Not what came after that head, and not what was never recorded: nothing but the
entries themselves (an announcement before each effect) and other people's records can narrow
that. A payload that is missing is either withheld from this pack (see "Payloads"), or an entry
of the kind `erasure` or `retention.sweep` says that it is gone.
"""  # noqa: E501  the three commands are one line each, as AUDIT.md has them


DRAWN = """\
{count} of the runs that began in the range, with the seed {seed}: those whose
SHA-256 over seed, line feed and run is smallest. Who names the seed after the log was written
leaves nobody a way to choose the runs. Draw them again, from index.csv alone:

    seed={quoted}; awk -F, '$3 == "0" && $2 != "" {{ print $2 }}' index.csv | while read -r run; do printf '%s %s\\n' "$(printf '%s\\n%s' "$seed" "$run" | sha256sum | cut -c 1-64)" "$run"; done | sort | head -n {count} | cut -d ' ' -f 2
"""  # noqa: E501  one line, to be pasted
NOT_DRAWN = "None was drawn. `--sample N --seed S` draws N runs by S, the same ones each time.\n"


def readme(about: About) -> bytes:
    """Return the page for a pack."""
    contents = about.contents
    chosen = "none" if not contents.parts else ", ".join(sorted(contents.parts))
    return TEXT.format(
        origin=contents.head.origin,
        start=contents.start,
        end=contents.end,
        size=contents.head.size,
        fingerprint=contents.head.fingerprint,
        payloads="all that are held" if contents.parts is None else f"selected: {chosen}",
        drawn=_drawn(about),
    ).encode()


def _drawn(about: About) -> str:
    if not about.count:
        return NOT_DRAWN
    return DRAWN.format(count=about.count, seed=repr(about.seed), quoted=shlex.quote(about.seed))
