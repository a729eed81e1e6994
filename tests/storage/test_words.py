"""Both databases read words alike: stories and what is looked for are brought to the same words."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update

from storage.database import Database, open_database
from storage.log_setup import init_log
from storage.message_models import SummaryRecord
from storage.retention.removal import overwrite_deleted
from storage.search import find
from storage.search_runs import Sought
from storage.search_words import read_words
from storage.snippets import LENGTH, snippet
from storage.stems import stem
from storage.store import SqlStore
from storage.story_words import has_unread, read_some
from storage.word_reading import MOST_OF_ONE, MOST_WORDS, words_of
from tests.storage.conftest import ORIGIN
from tests.storage.test_search import runs, write
from workflows.run import Status


@pytest.mark.parametrize(
    ("story", "typed", "is_found"),
    [
        ("The café is closed.", "cafe", True),
        ("The cafe is closed.", "café", True),
        ("Łódź, STRASSE, ΣΊΣΥΦΟΣ", "lodz straße σίσυφος", True),
        ("It will not be done.", "will", True),
        ("It will not be done.", "the", False),
        ("See https://shop.example/ord_9 and v1.4.2.", "shop", True),
        ("See https://shop.example/ord_9 and v1.4.2.", "ord_9", True),
        ("See https://shop.example/ord_9 and v1.4.2.", "https://shop.example/ord_9", True),
        ("See https://shop.example/ord_9 and v1.4.2.", "4.2", True),
        ("See https://shop.example/ord_9 and v1.4.2.", '"1.4"', False),
        ("Kept in /srv/data/report-2026.csv.", "report", True),
        ("请求被拒绝了", "被拒", True),
        ("请求被拒绝了", "拒绝了", True),
        ("请求被拒绝了", "请", True),
        ("请求被拒绝了", "了", True),
        ("请求被拒绝了", "求拒", False),
        ("请求\uff0c被拒绝了", "求被", False),
        ("请求被拒绝了", "被拒*", True),
        ("请求被拒绝了", "-被拒 请求", False),
        ("払い戻しを承認", "戻し", True),
        ("ｶﾞｽ料金", "ガス", True),
        ("กรุณาอนุมัติคำขอ", "อนุมัติ", True),
        ("환불 요청을 승인", "요청", True),
        ("新しいiPhone15の返品", "iphone15", True),
        ("新しいiPhone15の返品", "いiPhone15の", True),
        ("re\u00adfund", "refund", True),
        ("\uff21\uff22\uff23\uff11\uff12", "abc12", True),
        ("Refunds were deployed", "refunded deploy", True),
    ],
)
def test_a_word_is_found_however_it_is_written(
    store: SqlStore, story: str, typed: str, *, is_found: bool
) -> None:
    with store.begin() as unit:
        write(unit, "r1", story)

    assert runs(find(store.database, Sought(words=typed))) == ({"r1"} if is_found else set())


@pytest.fixture
def both(
    blank_sqlite_url: str, blank_postgres_url: str, tmp_path: Path
) -> Iterator[list[SqlStore]]:
    stores = []
    for name, url in (("lite", blank_sqlite_url), ("server", blank_postgres_url)):
        database = open_database(url)
        journal = init_log(database, tmp_path / name, origin=ORIGIN)
        stores.append(SqlStore(database, journal))
    yield stores
    for one in stores:
        one.database.close()


TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("abés1 -./_'\"*ÉßЙ请求被กิがガﾞ한글\u0301\u200b\u00adﬁ½²\ufe0f💸İı"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=14,
)
ENGLISH = st.lists(
    st.sampled_from(
        ["refund", "refunds", "the", "will", "café", "relational", "hopping", "v1.4", "请求被拒"]
    ),
    max_size=5,
).map(" ".join)
STORIES = st.lists(st.one_of(TEXTS, ENGLISH), min_size=1, max_size=5)
ASKED = st.lists(
    st.one_of(
        TEXTS, ENGLISH, st.sampled_from(["AND", "OR", "NOT", "-", '"the refund"', "ref*", "请*"])
    ),
    max_size=4,
).map(" ".join)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stories=STORIES, asked=st.lists(ASKED, min_size=1, max_size=6), data=st.data())
@example(stories=["café", "請求被拒"], asked=["cafe", "求被", "the"], data=None)
def test_both_databases_find_the_same_stories(
    both: list[SqlStore], stories: list[str], asked: list[str], data: st.DataObject | None
) -> None:
    story = max(stories, key=len)
    if data is not None and story:  # Any part of a story finds it, if it has words at all.
        start = data.draw(st.integers(0, len(story) - 1))
        asked = [*asked, story[start : start + 4]]
    for store in both:
        _holds_only(store, stories)
    for typed in asked:
        found = [find(one.database, Sought(words=typed), limit=50) for one in both]

        assert runs(found[0]) == runs(found[1])
        snippets = [{hit.run: hit.snippet for hit in one.page} for one in found]
        assert snippets[0] == snippets[1]


def _holds_only(store: SqlStore, stories: list[str]) -> None:
    with store.database.read() as connection:
        rows = connection.execute(select(func.count(SummaryRecord.id))).scalar_one()
    with store.begin() as unit:
        for number in range(rows, len(stories)):
            write(unit, f"r{number + 10}", "x")
    with store.database.begin() as tx:
        ids = tx.connection.execute(select(SummaryRecord.run_id)).scalars().all()
        for run in ids:
            number = int(run[1:]) - 10
            body = stories[number] if number < len(stories) else ""
            tx.connection.execute(
                update(SummaryRecord)
                .where(SummaryRecord.run_id == run)
                .values(body=body, words=words_of(body))
            )
        # A sign alone may have changed, which counts as unread until the next look.
    while read_some(store.database):
        pass


def test_a_server_plans_each_search_for_its_words(blank_postgres_url: str, tmp_path: Path) -> None:
    with closing(open_database(blank_postgres_url)) as database:
        store = SqlStore(database, init_log(database, tmp_path, origin=ORIGIN))
        with store.begin() as unit:
            write(unit, "r1", "The wombat is hungry.")
        for _ in range(20):
            assert runs(find(database, Sought(words="wombat"))) == {"r1"}

        with database.read() as connection:
            planned = text(
                "SELECT custom_plans, generic_plans FROM pg_prepared_statements"
                " WHERE statement LIKE '%word_places @@%'"
            )
            found = connection.execute(planned).all()

    assert found
    assert all(one.custom_plans and not one.generic_plans for one in found)


def test_more_words_than_a_server_keeps_are_no_difference(store: SqlStore) -> None:
    long = " ".join(f"w{number}" for number in range(MOST_WORDS + 10))
    often = "again " * (MOST_OF_ONE + 50) + "zebra"
    with store.begin() as unit:
        write(unit, "r1", long)
        write(unit, "r2", often)

    def found(typed: str) -> set[str]:
        return runs(find(store.database, Sought(words=typed)))

    assert found(f"w{MOST_WORDS - 1}") == {"r1"}
    assert found(f"w{MOST_WORDS}") == set()
    assert found('"again zebra"') == set()
    assert found("again zebra") == {"r2"}


def test_words_without_end_are_cut_alike_in_story_and_search(store: SqlStore) -> None:
    with store.begin() as unit:
        write(unit, "r1", "Key " + "a1" * 400)
        write(unit, "r2", "请" * 3_000)

    assert runs(find(store.database, Sought(words="a1" * 400))) == {"r1"}
    assert runs(find(store.database, Sought(words="请" * 900))) == {"r2"}


def as_the_release_before_wrote(database: Database) -> None:
    with database.begin() as tx:
        tx.connection.execute(text("UPDATE summary SET words = NULL"))


def test_stories_of_the_release_before_are_found_as_before_until_they_are_read(
    store: SqlStore,
) -> None:
    with store.begin() as unit:
        for number in range(7):
            write(unit, f"r{number}", f"Refund {number} of 请求被拒 was broken.")
    as_the_release_before_wrote(store.database)

    everyone = {f"r{number}" for number in range(7)}
    steps = []
    while True:
        found = runs(find(store.database, Sought(words='refunds "was broken" -nothing')))
        assert found == everyone
        some = read_some(store.database, at_once=3)
        if not some:
            break
        steps.append(some)

    assert steps == [3, 3, 1]
    assert runs(find(store.database, Sought(words="被拒"))) == everyone


@pytest.mark.parametrize("typed", ["refund", "-refund", '"', "_", "\u0e34*", "a'b\\", "请*"])
def test_nothing_typed_is_an_error_before_all_is_read(store: SqlStore, typed: str) -> None:
    with store.begin() as unit:
        write(unit, "r1", "Refund")
    as_the_release_before_wrote(store.database)

    find(store.database, Sought(words=typed, outcomes=frozenset({Status.DONE})))


def test_a_story_that_the_release_before_writes_anew_is_read_anew(store: SqlStore) -> None:
    with store.begin() as unit:
        write(unit, "r1", "The wombat is hungry.")
    with store.database.begin() as tx:  # As it does: it knows of no words.
        tx.connection.execute(text("UPDATE summary SET body = 'The quokka sleeps.'"))
    with store.database.read() as connection:
        assert has_unread(connection)

    assert runs(find(store.database, Sought(words="quokka"))) == {"r1"}
    assert read_some(store.database) == 1
    assert runs(find(store.database, Sought(words="quokka"))) == {"r1"}
    assert runs(find(store.database, Sought(words="wombat"))) == set()


def test_a_story_that_goes_while_it_is_read_stays_gone(store: SqlStore) -> None:
    with store.begin() as unit:
        write(unit, "r1", "The wombat is hungry.")
        write(unit, "r2", "The quokka sleeps.")
    with store.database.begin() as tx:
        tx.connection.execute(delete(SummaryRecord).where(SummaryRecord.run_id == "r1"))
    as_the_release_before_wrote(store.database)

    assert read_some(store.database) == 1
    assert read_some(store.database) == 0
    assert runs(find(store.database, Sought(words="the"))) == {"r2"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_byte_of_the_words_of_an_erased_story_is_left(store: SqlStore) -> None:
    path = Path(store.database.engine.url.database or "")
    with store.begin() as unit:
        write(unit, "r1", "xylophonist")
        write(unit, "r2", "Nothing of it.")
    with store.database.begin() as tx:
        tx.connection.execute(delete(SummaryRecord).where(SummaryRecord.run_id == "r1"))
        tx.connection.execute(text("DELETE FROM audit_part"))

    overwrite_deleted(store.database)

    held = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert held
    assert stem("xylophonist").encode() not in held


def test_two_processes_read_each_story_once_and_wait_for_nobody(
    blank_postgres_url: str, tmp_path: Path
) -> None:
    with closing(open_database(blank_postgres_url)) as database:
        store = SqlStore(database, init_log(database, tmp_path, origin=ORIGIN))
        with store.begin() as unit:
            write(unit, "r1", "The wombat is hungry.")
            write(unit, "r2", "The quokka sleeps.")
        as_the_release_before_wrote(database)
        with closing(open_database(blank_postgres_url)) as other, other.begin() as tx:
            tx.connection.execute(
                select(SummaryRecord.id).where(SummaryRecord.run_id == "r1").with_for_update()
            )
            assert read_some(database) == 2
            with database.read() as connection:
                assert has_unread(connection)  # The one that the other holds.
        assert read_some(database) == 1
        with database.read() as connection:
            assert not has_unread(connection)


def test_a_snippet_shows_the_words_of_the_story_itself() -> None:
    body = f"Łódź asked for café money. {'Much was said. ' * 40}Then 请求被拒绝了 at the end."

    pieces = snippet(body, read_words("lodz CAFÉ 被拒"))

    assert [one.text for one in pieces if one.is_found] == ["Łódź", "café", "被拒"]
    assert sum(len(one.text) for one in pieces) < 3 * LENGTH


@settings(max_examples=200, deadline=None)
@given(body=st.one_of(TEXTS, ENGLISH).map(lambda one: one * 9), asked=ASKED)
def test_a_snippet_is_made_of_stretches_of_the_story(body: str, asked: str) -> None:
    pieces = snippet(body, read_words(asked))

    shown = "".join(one.text for one in pieces)
    assert all(part in body for part in shown.replace(" … ", "…").split("…") if "…" not in body)
    assert all(one.text for one in pieces)


# From the examples that M. F. Porter publishes with his algorithm. Another one would make other
# stems than those that stories are kept by.
@pytest.mark.parametrize(
    ("words", "stems"),
    [
        ("caresses ponies ties cats", "caress poni ti cat"),
        ("feed agreed plastered bled motoring sing", "feed agre plaster bled motor sing"),
        ("conflated troubled sized hopping tanned", "conflat troubl size hop tan"),
        ("falling hissing fizzed failing filing", "fall hiss fizz fail file"),
        ("happy sky relational conditional rational", "happi sky relat condit ration"),
        ("valency digitizer operator feudalism", "valenc digit oper feudal"),
        ("decisiveness hopefulness formality", "decis hope formal"),
        ("triplicate formative formalize electrical", "triplic form formal electr"),
        ("goodness revival allowance inference airliner", "good reviv allow infer airlin"),
        ("adjustable replacement adjustment dependent", "adjust replac adjust depend"),
        ("adoption communism activate effective", "adopt commun activ effect"),
        ("probate rate cease controlling roll", "probat rate ceas control roll"),
    ],
)
def test_stems_are_those_of_the_published_algorithm(words: str, stems: str) -> None:
    assert [stem(one) for one in words.split()] == stems.split()
