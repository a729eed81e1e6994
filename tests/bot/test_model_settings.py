"""The settings of a model: what has to be said with it, and where its key may stand."""

from pathlib import Path

import pytest

from bot.settings import SettingsError, read_settings

MODEL = {
    "INTERLOCK_MODEL": "openai/small",
    "INTERLOCK_MODEL_PRICE": "250000/2000000",
    "INTERLOCK_MODEL_BUDGET": "5000000",
}


def test_a_model_is_read_with_its_key_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n")

    found = read_settings({**MODEL, "INTERLOCK_MODEL_KEY_FILE": str(tmp_path / "key")})

    assert found.model == "openai/small"
    assert "sk-from-a-file" in found.tokens.values()
    assert "sk-from-a-file" not in repr(found)
    assert found.model_folder == Path(".interlock/model")


@pytest.mark.parametrize(
    ("changes", "tells"),
    [({}, True), ({"INTERLOCK_MODEL_SUMMARIES": "no"}, False), ({"INTERLOCK_MODEL": ""}, False)],
)
def test_what_runs_came_to_goes_to_a_model_unless_that_is_not_wanted(
    *, changes: dict[str, str], tells: bool
) -> None:
    assert read_settings({**MODEL, **changes}).tells_stories is tells


def test_the_workspaces_of_a_host_share_what_asks_the_model() -> None:
    found = read_settings({**MODEL, "INTERLOCK_WORKSPACE": "T0123ABCD", "INTERLOCK_HOME": "home"})

    assert found.model_folder == Path("home/model")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"INTERLOCK_MODEL_PRICE": ""}, "needs INTERLOCK_MODEL_PRICE and INTERLOCK_MODEL_BUDGET"),
        ({"INTERLOCK_MODEL_BUDGET": ""}, "needs INTERLOCK_MODEL_PRICE and INTERLOCK_MODEL_BUDGET"),
        ({"INTERLOCK_MODEL": "small"}, "write provider/model"),
        ({"INTERLOCK_MODEL_PRICE": "1.5/2"}, "micro-units for a million tokens"),
        ({"INTERLOCK_MODEL_BUDGET": "-1"}, "INTERLOCK_MODEL_BUDGET"),
        ({"INTERLOCK_MODEL_BASE_URL": "models.example"}, "write https://"),
        ({"INTERLOCK_MODEL_BASE_URL": "https://a:b@models.example"}, "leave the password out"),
    ],
)
def test_what_cannot_be_used_is_refused(changes: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read_settings({**MODEL, **changes})
