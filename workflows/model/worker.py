"""The adapter that asks through litellm, in a process of its own for each question.

litellm is never imported here: it lies in a folder of its own (`install`), and only the worker
looks there. When a question's time is over the worker's whole process group is killed.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pydantic import SecretStr

from workflows.actions.process import run_program
from workflows.entry import Json
from workflows.errors import ActionFailedError, TransientReadError
from workflows.model.port import Price, Question, Reply
from workflows.model.protocol import LIMIT, Failed, line_of, read_line, reply_of

PROGRAM = Path(__file__).with_name("worker_program.py")
# The words of the environment are litellm's own: no look-up of prices, no reading of files.
SETTINGS = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
PARAMS: Mapping[str, Json] = {"temperature": "0"}
TRY_LATER = frozenset({0, 408, 409, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLlm:
    """A model that litellm can ask; `name` as litellm writes it, `provider/model`."""

    name: str
    price: Price
    folder: Path
    key: SecretStr | None = None
    base_url: str = ""
    program: Path = PROGRAM
    params: Mapping[str, Json] = field(default_factory=lambda: PARAMS)

    @property
    def provider(self) -> str:
        return self.name.partition("/")[0]

    @property
    def model(self) -> str:
        return self.name.partition("/")[2]

    def ask(self, question: Question) -> Reply:
        if not (self.folder / "litellm").is_dir():
            raise ActionFailedError(
                "The model's worker is not installed.",
                error_class="no_worker",
                hint="Run `interlock model install` on this machine.",
            )
        found = read_line(self._exchanged(question))
        if isinstance(found, Failed):
            _refuse(found)
        return reply_of(found)

    def _exchanged(self, question: Question) -> bytes:
        """Return what the worker wrote, none of it left running."""
        asked = line_of(question, model=self.name, base_url=self.base_url, params=dict(self.params))
        try:
            ended = run_program(
                [sys.executable, "-I", "-S", "-B", str(self.program), str(self.folder.resolve())],
                folder=str(self.folder),
                environment=self._environment(),
                stdin=asked,
                timeout=question.timeout,
                limit=LIMIT,
            )
        except OSError as fault:
            raise ActionFailedError(
                f"The model's worker cannot be started: {fault.strerror}.",
                error_class="no_worker",
            ) from fault
        if ended.is_late:
            raise TransientReadError(
                f"The model gave no answer within {question.timeout:g} s.", error_class="timeout"
            )
        return bytes(ended.stdout.kept)

    def _environment(self) -> dict[str, str]:
        key = self.key.get_secret_value() if self.key is not None else ""
        return {**SETTINGS, "INTERLOCK_MODEL_KEY": key}


def _refuse(failed: Failed) -> NoReturn:
    words = f"The model was not asked with success: {failed.error}, status {failed.status}."
    if failed.status in TRY_LATER:
        raise TransientReadError(words, error_class="model_away")
    raise ActionFailedError(words, error_class="model_refused")
