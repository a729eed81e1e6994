"""What the tests of models share: a worker that does what it is told, and a journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from workflows.entry import Json, PartClass
from workflows.model.port import Price
from workflows.model.worker import LiteLlm

STAND_IN = Path(__file__).with_name("stand_in.py")
KEY = "sk-a-key-of-the-model"


@dataclass
class Pages:
    """A journal in memory."""

    told: list[tuple[str, Mapping[str, Json], str]] = field(default_factory=list)

    def tell(
        self, kind: str, data: Mapping[str, Json], *, part: str, words: str, cls: PartClass
    ) -> None:
        del part, cls
        self.told.append((kind, data, words))


@dataclass
class Played:
    """A model whose worker does what it is told; `asked` is what the worker was told."""

    model: LiteLlm

    def behave(self, how: str, words: str = "") -> None:
        (self.model.folder / "behave").write_text(f"{how}\n{words}")

    @property
    def asked(self) -> str:
        return (self.model.folder / "asked").read_text()

    @property
    def was_asked(self) -> bool:
        return (self.model.folder / "asked").exists()


def a_played_model(folder: Path) -> Played:
    """Return a model whose worker is the stand-in, in `folder`."""
    (folder / "litellm").mkdir(parents=True)
    model = LiteLlm(
        name="openai/stand-in",
        price=Price(tokens_in=1_000_000, tokens_out=2_000_000),
        folder=folder,
        key=SecretStr(KEY),
        program=STAND_IN,
    )
    return Played(model)
