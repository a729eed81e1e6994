"""A worker that speaks the real protocol and asks no model: it does what its folder says.

Started like the real one. `behave` in its folder names how; `asked` is what it was told.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
GOOD = {"model": "stand-in-1", "tokens_in": 120, "tokens_out": 30, "finish": "stop"}


def write(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


def say(line: object) -> None:
    write(json.dumps(line) + "\n")


told = sys.stdin.readline()
(FOLDER / "asked").write_text(told)
(FOLDER / "environment").write_text(json.dumps(sorted(os.environ)))
behave, _, words = (FOLDER / "behave").read_text().partition("\n")
if behave == "good":
    say({"text": words, **GOOD})
elif behave == "odd":
    say({"text": "Blue.", **GOOD, **json.loads(words)})
elif behave == "slow":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (FOLDER / "written").write_text(str(child.pid))
    (FOLDER / "written").rename(FOLDER / "child")  # Whoever is killed here leaves all or nothing.
    time.sleep(60)
elif behave == "dripping":
    for _ in range(600):
        write("{")
        time.sleep(0.1)
elif behave == "garbage":
    write(f"{os.environ['INTERLOCK_MODEL_KEY']} is the key {words}\n")
elif behave == "failed":
    say({"error": "RateLimitError", "status": int(words)})
