"""Statements said to libpq itself: what goes wrong on the way, and what is remembered."""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import FrameType

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import journey
from storage.journey import PREPARED_AFTER, JourneyConnection, Said

PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'journey%'"
MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001  the zone is put in below
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
    st.binary(),
    MOMENTS.map(lambda one: one.replace(tzinfo=UTC)),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.lists(st.binary(), min_size=1),
)


@pytest.fixture
def connection(blank_postgres_url: str) -> Iterator[JourneyConnection]:
    with JourneyConnection.connect(blank_postgres_url, autocommit=True) as opened:
        opened.execute("SET timezone TO 'UTC'")
        opened.execute("CREATE TABLE number (n bigint PRIMARY KEY, told text)")
        yield opened


def stored(connection: JourneyConnection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM number ORDER BY n").fetchall()]


def test_nothing_after_a_refusal_is_executed_and_the_next_journey_goes(
    connection: JourneyConnection,
) -> None:
    add = "INSERT INTO number (n) VALUES (?)"
    said = [("BEGIN", ()), (add, (1,)), (add, (1,)), (add, (2,)), ("COMMIT", ())]

    answers, refused = connection.travel(said)
    connection.rollback()
    again, nothing = connection.travel([(add, (3,)), ("SELECT n FROM number", ())])

    assert len(answers) == 2
    assert isinstance(refused, psycopg.errors.UniqueViolation)
    assert refused.diag.constraint_name == "number_pkey"
    assert nothing is None
    assert (again[0].rowcount, again[0].statusmessage) == (1, "INSERT 0 1")
    assert (again[1].rowcount, again[1].fetchone(), again[1].fetchone()) == (1, (3,), None)


def test_a_value_that_cannot_be_written_leaves_all_unsaid(connection: JourneyConnection) -> None:
    add = "INSERT INTO number VALUES (?, ?)"
    for n in range(PREPARED_AFTER):
        connection.travel([(add, (n, "x"))])
    for odd in (object(), "\0"):
        with pytest.raises(psycopg.Error):
            connection.travel([(add, (100, "x")), (add, (101, odd))])
    assert stored(connection) == list(range(PREPARED_AFTER))

    connection.travel([(add, (100, "x"))])
    assert stored(connection)[-1] == 100


@pytest.mark.parametrize("place", [0, 1, 5])
def test_a_connection_that_ends_on_the_way_says_so_and_is_closed(
    connection: JourneyConnection, place: int
) -> None:
    said = [("SELECT 1", ())] * 5
    said.insert(place, ("SELECT pg_terminate_backend(pg_backend_pid())", ()))

    def go() -> None:
        _, refused = connection.travel(said)
        assert isinstance(refused, psycopg.errors.AdminShutdown)
        raise refused

    with pytest.raises(psycopg.OperationalError):
        go()
    with pytest.raises(psycopg.OperationalError):
        connection.travel(said)
    assert connection.closed


def test_more_than_any_buffer_holds_travels_both_ways(connection: JourneyConnection) -> None:
    text = "é" * 1_000_000
    said = [("SELECT ?::text || ?::text", (text, str(n))) for n in range(20)]

    answers, refused = connection.travel(said)

    assert refused is None
    assert [one.fetchall() for one in answers] == [[(f"{text}{n}",)] for n in range(20)]


def test_whoever_is_interrupted_keeps_no_connection_in_the_middle_of_it(
    connection: JourneyConnection,
) -> None:
    interrupted(connection, ("SELECT pg_sleep(60)", ()), ("SELECT 1", ()))

    assert connection.closed


def interrupted(connection: JourneyConnection, *said: Said) -> None:
    """Say it, and press Ctrl-C soon after."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            connection.travel(said)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_statement_is_prepared_once_for_the_types_of_its_values(
    connection: JourneyConnection,
) -> None:
    add = "INSERT INTO number (n) VALUES (?)"
    connection.travel([(add, (n,)) for n in range(20)])  # Many times in one journey.
    connection.travel([(add, (2**40 + n,)) for n in range(20)])  # Other types, as ints go.
    (answer,), _ = connection.travel([(PREPARED, ())])

    assert answer.fetchall() == [(2,)]


def test_a_statement_is_prepared_for_a_few_types_of_its_values_only(
    connection: JourneyConnection,
) -> None:
    sizes = (1, 2**20, 2**40)
    said = [("SELECT ?, ?, ?", (a, b, c)) for a in sizes for b in sizes for c in sizes]
    answers, refused = connection.travel([*said, *said])
    (answer,), _ = connection.travel([(PREPARED, ())])

    assert refused is None
    assert [one.fetchall() for one in answers] == [[values] for _, values in (*said, *said)]
    assert answer.fetchall() == [(journey.MOST_NAMES,)]


def test_what_is_refused_at_the_end_of_what_nobody_began_is_told(
    connection: JourneyConnection,
) -> None:
    connection.execute(
        "CREATE TABLE pair (n bigint REFERENCES number (n) DEFERRABLE INITIALLY DEFERRED)"
    )
    answers, refused = connection.travel([("INSERT INTO pair VALUES (?)", (5,)), ("SELECT 1", ())])

    assert len(answers) == 2
    assert isinstance(refused, psycopg.errors.ForeignKeyViolation)
    assert connection.travel([("SELECT count(*) FROM pair", ())])[0][0].fetchone() == (0,)


def test_what_is_prepared_is_forgotten_with_what_is_taken_back(
    connection: JourneyConnection,
) -> None:
    ask = "SELECT n FROM number WHERE n = ?"
    connection.travel([(ask, (1,))] * 10)
    for _ in range(10):  # The driver's own cursors prepare too.
        connection.execute("SELECT n FROM number WHERE n = %s", (1,))
    connection.travel([("BEGIN", ()), ("SELECT 1 / 0", ())])
    connection.rollback()
    (left,) = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchall()[0]
    connection.execute("SELECT n FROM number WHERE n = %s", (1,))

    assert left == 0
    assert connection.travel([(ask, (1,))] * 10)[1] is None


def test_no_more_than_so_many_statements_are_known(
    connection: JourneyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "MOST_KNOWN", 10)
    for number in range(40):
        connection.travel([(f"SELECT {number}", ())] * (PREPARED_AFTER + 1))
    (answer,), _ = connection.travel([(PREPARED, ())])

    assert answer.fetchall()[0][0] <= 11


@given(said=st.lists(st.lists(VALUES, min_size=1, max_size=3), min_size=1, max_size=4))
def test_an_answer_is_what_a_cursor_gives(
    postgres_connection: JourneyConnection, said: list[list[object]]
) -> None:
    """Whatever the values, and however often the same statement saw others before."""
    questions = [
        (f"SELECT {', '.join('?' for _ in values)}, {len(values)}", values) for values in said
    ]
    answers, refused = postgres_connection.travel(questions)
    cursors = [
        postgres_connection.execute(words.replace("?", "%s"), values) for words, values in questions
    ]

    assert refused is None
    assert [one.fetchall() for one in answers] == [one.fetchall() for one in cursors]


@pytest.fixture(scope="module")
def postgres_connection(postgres_server: str) -> Iterator[JourneyConnection]:
    with JourneyConnection.connect(postgres_server, autocommit=True) as opened:
        yield opened


def test_a_moment_keeps_its_place_in_time(connection: JourneyConnection) -> None:
    now = datetime.now(UTC)
    (answer,), _ = connection.travel([("SELECT ?::timestamptz + interval '1 day'", (now,))])

    assert answer.fetchone() == (now + timedelta(days=1),)


@pytest.mark.parametrize(
    ("statement", "values"),
    [("SELECT 1", (1,)), ("SELECT ?", (1, 2)), ("SELECT ?, ?", (1,)), ("SELECT '?'", ())],
)
def test_a_statement_with_more_or_fewer_marks_than_values_is_not_said(
    connection: JourneyConnection, statement: str, values: tuple[object, ...]
) -> None:
    """The driver's adapter reads past the end of what it is told, and the process with it."""
    with pytest.raises(psycopg.ProgrammingError, match="as many values"):
        connection.travel([("INSERT INTO number VALUES (1)", ()), (statement, values)])

    assert stored(connection) == []


@pytest.mark.parametrize("statement", ["COPY number FROM STDIN", "COPY number TO STDOUT"])
def test_a_copy_does_not_travel(connection: JourneyConnection, statement: str) -> None:
    """Libpq gives results of one without end."""
    with pytest.raises(psycopg.NotSupportedError):
        connection.travel([("SELECT 1", ()), (statement, ()), ("SELECT 2", ())])

    assert connection.closed


def test_what_another_session_outdated_is_refused_once(
    connection: JourneyConnection, blank_postgres_url: str
) -> None:
    """Nothing is open that could be taken back, so nothing else would ever mend it."""
    ask = ("SELECT * FROM number", ())
    connection.travel([("INSERT INTO number VALUES (1)", ()), *([ask] * 10)])
    with psycopg.connect(blank_postgres_url, autocommit=True) as other:
        other.execute("ALTER TABLE number ALTER told TYPE integer USING 7")

    refused = connection.travel([ask])[1]
    (answer,), nothing = connection.travel([ask])

    assert isinstance(refused, psycopg.errors.FeatureNotSupported)
    assert (nothing, answer.fetchall()) == (None, [(1, 7)])


def test_what_is_not_prepared_any_more_is_refused_once(connection: JourneyConnection) -> None:
    connection.travel([("SELECT 1", ())] * 10)
    connection.execute("DISCARD ALL")

    refused = connection.travel([("SELECT 1", ())])[1]

    assert isinstance(refused, psycopg.errors.InvalidSqlStatementName)
    assert connection.travel([("SELECT 1", ())] * 10)[1] is None


@pytest.mark.parametrize("cleared", ["DROP TABLE gone", "ROLLBACK TO SAVEPOINT here"])
def test_what_cursors_have_the_server_forget_is_prepared_anew(
    connection: JourneyConnection, cleared: str
) -> None:
    """They forget everything when something is dropped or taken back."""
    connection.execute("CREATE TABLE gone (n integer)")
    for _ in range(10):
        connection.execute("SELECT 2")
    connection.travel([("SELECT 1", ())] * 10)
    connection.travel([("BEGIN", ()), ("SAVEPOINT here", ())])
    connection.execute(cleared)

    answers, refused = connection.travel([("SELECT 1", ())] * 10)
    connection.rollback()

    assert (len(answers), refused) == (10, None)


@pytest.mark.parametrize("opening", [(), ("BEGIN",)])
def test_a_statement_that_is_always_refused_is_not_prepared_again_and_again(
    connection: JourneyConnection, opening: tuple[str, ...]
) -> None:
    for _ in range(20):
        for words in opening:
            connection.execute(words)
        _, refused = connection.travel([("SELECT 1 / ?::integer", (0,))])
        connection.rollback()
        assert isinstance(refused, psycopg.errors.DivisionByZero)
    (answer,), _ = connection.travel([(PREPARED, ())])

    assert answer.fetchall()[0][0] <= 1


def test_what_was_not_reached_is_prepared_at_its_next_use(connection: JourneyConnection) -> None:
    """The refused one is prepared; of what came after it the server has heard nothing."""
    divide, after = "SELECT 1 / ?::integer", "SELECT ?::integer + 1"
    for _ in range(PREPARED_AFTER):
        connection.travel([(divide, (1,)), (after, (1,))])
    answers, refused = connection.travel([(divide, (0,)), (after, (1,))])
    again, nothing = connection.travel([(divide, (1,)), (after, (1,))] * 2)

    assert (answers, isinstance(refused, psycopg.errors.DivisionByZero)) == ([], True)
    assert nothing is None
    assert [one.fetchone() for one in again] == [(1,), (2,)] * 2


def test_an_interrupt_is_told_to_the_server_and_is_no_defect(
    connection: JourneyConnection, blank_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    pid = connection.info.backend_pid
    interrupted(connection, ("SELECT pg_sleep(60)", ()))
    with psycopg.connect(blank_postgres_url, autocommit=True) as other:
        until = time.monotonic() + 10
        here = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        while other.execute(here, (pid,)).fetchone() != (0,) and time.monotonic() < until:
            time.sleep(0.05)
        left = other.execute(here, (pid,)).fetchone()

    assert (left, caplog.records) == ((0,), [])
