"""A model that does what the test says."""

from pathlib import Path

import pytest

from tests.workflows.model.playing import Played, a_played_model


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return a_played_model(tmp_path / "model")
