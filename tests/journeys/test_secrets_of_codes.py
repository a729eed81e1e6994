"""The secret behind somebody's codes stands in one modal, and neither it nor a code elsewhere."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from bot.logs import configure_logs
from sandbox.recorder import Call
from storage.transaction import Database
from tests.journeys.coded import App, approves, begins, card_of, coded_day, proves
from tests.journeys.day import Case, Day


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Log as the bot does when it is told to log the most; give what was written."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in logging.Logger.manager.loggerDict}
    stream = io.StringIO()
    configure_logs("DEBUG", lambda words: words, stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(params=["sqlite", "postgres"])
def day(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Day]:
    """Give a company whose refunds ask for codes, on either database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with coded_day(tmp_path, database=url) as open_day:
        yield open_day


def everything_in(database: Database) -> str:
    """Return each value of each table, bytes as they are and in hex."""
    found: list[str] = []
    with database.read() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                found += [f"{table}: {_shown(one)}" for one in row]
    return "\n".join(found)


def _shown(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        data = bytes(value)
        return f"{data.decode('latin-1')} {data.hex()}"
    return str(value)


def traces(app: App, codes: list[str], said: str) -> list[str]:
    """Return which forms of the secret, and which codes, stand in what was said."""
    forms = [
        app.written,
        app.written.replace(" ", ""),
        app.secret.decode("latin-1"),
        app.secret.hex(),
    ]
    # Six digits may stand in a longer number, or behind the point of one, by chance.
    typed = [one for one in codes if re.search(rf"(?<![\w.]){one}(?![\w.])", said)]
    return [one for one in forms if one in said] + typed


def test_a_secret_and_its_codes_leave_no_trace_but_one_modal(day: Day, logged: io.StringIO) -> None:
    case = Case(day)
    app = begins(case, "ana")
    codes = [app.code()]
    number = proves(case, "ana", app)
    codes.append(app.code())
    case.person("ivan").click("Confirm", message=card_of(case, "ivan", number))
    root = case.asks()
    card = case.card(root)
    assert approves(case, "ana", card, app.wrong()) is not None
    codes.append(app.fresh())
    case.person("ana").submit({"code": codes[-1]})
    case.ends(root, "done")
    recorder = case.slack.recorder
    calls = [(one.method, json.dumps(one.arguments)) for one in recorder.calls()]
    answers = [json.dumps(one.answer) for one in recorder.deliveries()]

    shown = [(method, said) for method, said in calls if traces(app, codes, said)]
    assert [method for method, _said in shown] == ["views.open"]
    assert traces(app, codes, shown[0][1])[0] == app.written
    assert not [one for one in answers if traces(app, codes, one)]
    assert traces(app, codes, everything_in(day.bot.core.memory.database)) == []
    assert traces(app, codes, logged.getvalue()) == []
    assert not [one for one in metadata_of(recorder.calls()) if traces(app, codes, one)]
    assert _files(day.stage.home, app) == []


def metadata_of(calls: list[Call]) -> list[str]:
    """Return what lies hidden beside messages and modals."""
    found = [json.dumps(one.arguments.get("metadata")) for one in calls]
    views = (one.arguments.get("view") for one in calls)
    read = [json.loads(one) if isinstance(one, str) else one for one in views if one]
    assert read
    return found + [str(one.get("private_metadata")) for one in read]


def _files(home: Path, app: App) -> list[str]:
    """Return the files of the home in which the secret stands."""
    forms = [app.secret, app.written.encode(), app.secret.hex().encode()]
    return [
        str(file)
        for file in home.rglob("*")
        if file.is_file() and any(form in file.read_bytes() for form in forms)
    ]


def test_the_traces_would_be_found(day: Day) -> None:
    """The search itself finds what was planted."""
    case = Case(day)
    app = begins(case, "ana")
    planted = app.code()
    with day.bot.core.memory.database.begin() as tx:
        tx.run("UPDATE step_up_guard SET misses = ?", (json.dumps([planted]),))
    found = everything_in(day.bot.core.memory.database)

    assert traces(app, [planted], found) == [planted]
    assert traces(app, [], f"x {app.secret.hex()} y") == [app.secret.hex()]
