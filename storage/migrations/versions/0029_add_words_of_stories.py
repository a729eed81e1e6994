"""Add the words of stories as this release reads them, and an index of them on each database.

Nothing is read here: stories that are there have no words until a process of this release gives
them some, and are found meanwhile as before. A story that the release before writes anew loses
its words, so that it gets new ones. A word has no blank in it, so that both indexes take the
words as they stand: FTS5 by its plainest reader, Postgres with the places counted here.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

IS_UNREAD = sa.text("words IS NULL")
INDEXES = {
    "sqlite": (
        """
        CREATE VIRTUAL TABLE summary_fts_words USING fts5(
          words, content='summary', content_rowid='id', tokenize='ascii', prefix='2 3')
        """,
        """
        CREATE TRIGGER summary_words_insert AFTER INSERT ON summary WHEN NEW.words IS NOT NULL
        BEGIN INSERT INTO summary_fts_words (rowid, words) VALUES (NEW.id, NEW.words); END
        """,
        """
        CREATE TRIGGER summary_words_delete AFTER DELETE ON summary WHEN OLD.words IS NOT NULL
        BEGIN INSERT INTO summary_fts_words (summary_fts_words, rowid, words)
          VALUES ('delete', OLD.id, OLD.words); END
        """,
        """
        CREATE TRIGGER summary_words_update AFTER UPDATE OF words ON summary
        WHEN OLD.words IS NOT NEW.words
        BEGIN
          INSERT INTO summary_fts_words (summary_fts_words, rowid, words)
            SELECT 'delete', OLD.id, OLD.words WHERE OLD.words IS NOT NULL;
          INSERT INTO summary_fts_words (rowid, words)
            SELECT NEW.id, NEW.words WHERE NEW.words IS NOT NULL;
        END
        """,
        """
        CREATE TRIGGER summary_words_unread AFTER UPDATE OF body ON summary
        WHEN NEW.body <> OLD.body AND NEW.words = OLD.words
        BEGIN UPDATE summary SET words = NULL WHERE id = NEW.id; END
        """,
    ),
    "postgresql": (
        "ALTER TABLE summary ADD COLUMN word_places tsvector",
        """
        CREATE FUNCTION summary_words_placed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'UPDATE' AND NEW.body <> OLD.body AND NEW.words = OLD.words THEN
            NEW.words := NULL;
          END IF;
          NEW.word_places := CASE WHEN NEW.words IS NOT NULL THEN (
            SELECT coalesce(string_agg('''' || word || ''':' || place, ' '), '')
            FROM unnest(string_to_array(NEW.words, ' ')) WITH ORDINALITY AS one (word, place)
          )::tsvector END;
          RETURN NEW;
        END $$
        """,
        """
        CREATE TRIGGER summary_words_placed BEFORE INSERT OR UPDATE OF body, words ON summary
        FOR EACH ROW EXECUTE FUNCTION summary_words_placed()
        """,
        """
        CREATE INDEX ix_summary_word_places ON summary USING gin (word_places)
        WHERE word_places IS NOT NULL
        """,
    ),
}


def upgrade() -> None:
    op.add_column("summary", sa.Column("words", sa.Text(), nullable=True))
    op.create_index(
        "ix_summary_unread",
        "summary",
        ["id"],
        sqlite_where=IS_UNREAD,
        postgresql_where=IS_UNREAD,
    )
    for statement in INDEXES[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")
