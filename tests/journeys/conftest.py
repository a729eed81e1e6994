"""A whole company for each journey, once over each way of receiving."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.stage import staged
from tests.journeys.company import SHIPPED, Scene


@pytest.fixture(params=["socket", "http"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Give the company, once with Slack over Socket Mode and once over signed HTTP."""
    with staged(tmp_path, SHIPPED, port=0) as stage:
        yield Scene(stage=stage, over=request.param)
