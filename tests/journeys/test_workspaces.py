"""Two companies on one host: each installs the app by itself, and sees nothing of the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.campus import ACME, GLOBEX, Campus, campus_at


@pytest.fixture(params=["sqlite", "postgres"])
def campus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Campus]:
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with campus_at(tmp_path, database=database) as opened:
        yield opened


def test_each_company_installs_the_app_and_refunds_by_itself(campus: Campus) -> None:
    with campus.serving():
        first = campus.installs(ACME)
        second = campus.installs(GLOBEX)
        assert first.status_code == 200, first.text
        assert "at work in Acme" in first.text
        assert "at work in Globex" in second.text
        acme, globex = campus.branch(ACME).joined(), campus.branch(GLOBEX).joined()
        root = acme.fills(Order="ord_1001")
        other = globex.fills(Order="ord_1002")
        acme.approve(acme.card(root))
        acme.ends(root)
        globex.approve(globex.card(other), by="ben")
        globex.ends(other)

    assert len(campus.stage.shop.effects("ord_1001")) == 1
    assert len(campus.stage.shop.effects("ord_1002")) == 1
