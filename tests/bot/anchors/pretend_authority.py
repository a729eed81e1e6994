"""A time stamp authority on this machine: `openssl ts` behind HTTP, under its own certificates."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bot.anchors.answering import Asked, Said

CONFIGURATION = """\
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
certs = $dir/ca.pem
signer_key = $dir/tsa.key
signer_digest = {hash}
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
ess_cert_id_chain = no
"""
CERTIFICATES = """\
set -e
KEY="$1"
openssl req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca
openssl req -newkey $KEY -nodes -keyout tsa.key -out tsa.csr -subj /CN=tsa
printf 'extendedKeyUsage=critical,timeStamping\\n' > extensions
openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
  -extfile extensions -out tsa.pem
printf '01\\n' > serial
"""


@dataclass
class PretendAuthority:
    """Answers what comes with a real token. `is_stuck` makes it answer an earlier question.

    `key` is what `openssl req -newkey` takes, `hash` what the token is signed over.
    """

    folder: Path
    key: str = "rsa:2048"
    hash: str = "sha256"
    is_stuck: bool = False

    def begin(self) -> None:
        """Make its certificates."""
        (self.folder / "tsa.cnf").write_text(
            CONFIGURATION.format(folder=self.folder, hash=self.hash)
        )
        self._runs("bash", "-c", CERTIFICATES, "bash", self.key)

    def __call__(self, asked: Asked) -> Said:
        if asked.headers["content-type"] != "application/timestamp-query":
            return Said(415, b"")
        return Said(200, self.stamp(asked.body), "application/timestamp-reply")

    def stamp(self, request: bytes) -> bytes:
        """Return the answer to a request, or the one to an earlier question."""
        question, reply = self.folder / "question", self.folder / "reply"
        if not (self.is_stuck and question.exists()):
            question.write_bytes(request)
        self._runs(
            *("openssl", "ts", "-reply", "-config", "tsa.cnf"),
            *("-queryfile", str(question), "-out", str(reply)),
        )
        return reply.read_bytes()

    def accepts(self, note: str, answer: bytes) -> bool:
        """Say whether `openssl ts` verifies the answer as a stamp over the note."""
        (self.folder / "note").write_text(note, encoding="utf-8")
        (self.folder / "answer").write_bytes(answer)
        done = subprocess.run(
            ["openssl", "ts", "-verify", "-data", "note", "-in", "answer", "-CAfile", "ca.pem"],
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def _runs(self, *words: str) -> None:
        subprocess.run(words, cwd=self.folder, check=True, capture_output=True)
