"""What a process at rest knows of migrations without loading alembic."""

from alembic.script import ScriptDirectory

from storage.migrate import configuration, newest


def test_the_newest_file_is_the_one_end_of_the_line_of_migrations() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [newest()]
