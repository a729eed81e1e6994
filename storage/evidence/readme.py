"""The page that explains a pack to whoever opens it, with the commands that check it."""

from storage.evidence.contents import Contents

TEXT = """\
An evidence pack, format audit-evidence/1
=========================================

Log        {origin}
Entries    {start} up to, and without, {end}, of {size}
Head       size {size}, fingerprint {fingerprint}
Payloads   {payloads}

What is here
------------
entries.jsonl      the entries, each line exactly as it was signed
leaves.bin         the hash of every entry of the whole log, 32 bytes each
context.jsonl      entries outside the range that a check needs: keys, erasures
disclosures.jsonl  payloads; each entry commits to its own
subjects.jsonl     who is behind the pseudonyms that the entries name
index.csv          the readable columns of each entry
checkpoint         the newest signed head; checkpoints/ has every head that was kept
state.json         the tree as it was stored
verify.py          a verifier in one file; verify.html is one for a browser, without network
manifest.json      every file with its hash; manifest.dsse.json is the log key's signature

How to check it
---------------
With Interlock, and the public key that you got another way than with this pack:

    interlock audit verify --pack . --vkey KEY --checkpoint NOTE

KEY is what `interlock init` printed, NOTE a head that you kept (from Slack, from a mail). Exit
code 0: the history shown is the history recorded. 1: it is not. 3: nothing wrong was found, but
something is unproven; it says what.

With Python and the package `cryptography`, and no Interlock; `verify.py` was written a second
time, from the specification:

    python verify.py --vkey KEY --checkpoint NOTE

With a browser and nothing else: open `verify.html`, drop this pack on it, and paste KEY and NOTE.
Better than this copy is one that you got another way: `interlock audit verifier --out FILE`.

The newest head, with nothing but OpenSSL; `vkey` is a file with KEY:

    sed '/^$/,$d' checkpoint > text; grep '^\u2014 ' checkpoint | head -n1 | awk '{{print $3}}' | base64 -d | tail -c 64 > sig
    {{ printf '\\x30\\x2a\\x30\\x05\\x06\\x03\\x2b\\x65\\x70\\x03\\x21\\x00'; cut -d+ -f3- vkey | base64 -d | tail -c 32; }} > key.der
    openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in text -sigfile sig

What it shows, and what it cannot show
--------------------------------------
That the entries are those that were recorded, whole, unchanged and in order, up to a head that
you kept. Not what came after that head, and not what was never recorded: nothing but the
entries themselves (an announcement before each effect) and other people's records can narrow
that. A payload that is missing is either withheld from this pack (see "Payloads"), or an entry
of the kind `erasure` or `retention.sweep` says that it is gone.
"""  # noqa: E501  the three commands are one line each, as AUDIT.md has them


def readme(contents: Contents) -> bytes:
    """Return the page for a pack of these contents."""
    chosen = "none" if not contents.parts else ", ".join(sorted(contents.parts))
    return TEXT.format(
        origin=contents.head.origin,
        start=contents.start,
        end=contents.end,
        size=contents.head.size,
        fingerprint=contents.head.fingerprint,
        payloads="all that are held" if contents.parts is None else f"selected: {chosen}",
    ).encode()
