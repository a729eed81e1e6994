"""Which settings bring whom, and in which order they are asked."""

from pathlib import Path

import pytest

from bot.anchors.parts import anchoring_of, outsiders_of
from bot.core import Means, NobodyReadable, build_core
from bot.opening import begin_log
from bot.settings import Settings, SettingsError, read_settings
from storage.anchors import TurnSql, read_turns
from storage.journal import utc_now
from tests.bot.anchors.pretend_witness import PretendWitness

ALL = {
    "INTERLOCK_ANCHOR_DIR": "anchors",
    "INTERLOCK_ANCHOR_MAIL": "auditor@audit.example, second@audit.example",
    "INTERLOCK_SMTP": "mail.ops.example:587",
    "INTERLOCK_SMTP_FROM": "bot@ops.example",
    "INTERLOCK_TIMESTAMP_URL": "http://stamps.example/tsa",
    "INTERLOCK_WITNESS_URL": "https://witness.example/",
    "INTERLOCK_WITNESS_VKEY": PretendWitness("").vkey,
}


def test_who_puts_lines_under_a_note_comes_before_those_who_keep_it(tmp_path: Path) -> None:
    settings = read_settings({**ALL, "INTERLOCK_HOME": str(tmp_path)})
    memory = begin_log(settings)
    core = build_core(settings, memory, people=NobodyReadable(), means=Means(environment={}))
    names = [one.name for one in outsiders_of(core)]
    parts = anchoring_of(core)
    memory.database.close()

    assert names == ["witness", "rfc3161", "folder", "mail"]
    assert len(parts) == 1
    assert settings.anchor_mail == ("auditor@audit.example", "second@audit.example")


def test_without_a_setting_nobody_is_asked_and_nobody_fails_any_more(tmp_path: Path) -> None:
    settings = Settings.model_validate({"home": tmp_path})
    memory = begin_log(settings)
    core = build_core(settings, memory, people=NobodyReadable(), means=Means(environment={}))
    now = utc_now()
    with memory.database.begin() as tx:
        for name in ("folder", "mail"):
            TurnSql(tx).claim(name, now=now, until=now)
        TurnSql(tx).failed("mail", "refused", at=now, next_at=now)
    parts = anchoring_of(core)
    with memory.database.read() as connection:
        left = [one.name for one in read_turns(connection)]
    memory.database.close()

    assert parts == []
    assert left == ["folder"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("INTERLOCK_SMTP", "", "so INTERLOCK_SMTP is needed as well"),
        ("INTERLOCK_SMTP", "mail.ops.example", "write host:port"),
        ("INTERLOCK_SMTP_USER", "bot", "so INTERLOCK_SMTP_PASSWORD is needed"),
        ("INTERLOCK_SMTP_TLS", "always", "'starttls' or 'none'"),
        ("INTERLOCK_ANCHOR_MAIL", "auditor", "'auditor' is no mail address"),
        ("INTERLOCK_DIGEST_MAIL", "a@example.com, jörg@example.com", "write the domain as xn--"),
        ("INTERLOCK_WITNESS_URL", "http://witness.example", "write https://"),
        ("INTERLOCK_WITNESS_VKEY", "", "so INTERLOCK_WITNESS_VKEY is needed"),
        ("INTERLOCK_WITNESS_VKEY", "w+00000000+BAAA", "Only witnesses with an Ed25519 key"),
        ("INTERLOCK_TIMESTAMP_URL", "stamps.example", "write http:// or https://"),
        ("INTERLOCK_ANCHOR_EVERY", "daily", "'daily' is no length of time"),
        ("INTERLOCK_DIGEST_READERS", "ana", "write 'ana' as @handle"),
        ("INTERLOCK_KMS_KEY", "alias/x", "so AWS_REGION is needed as well"),
    ],
)
def test_what_cannot_be_used_is_said(name: str, value: str, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({**ALL, name: value})

    assert why in str(refused.value)


def test_secrets_come_from_files_and_are_taken_out_of_logs(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a password of mail\n", encoding="utf-8")
    (tmp_path / "secret").write_text("a secret of aws\n", encoding="utf-8")
    settings = read_settings(
        {
            "INTERLOCK_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
            "AWS_SECRET_ACCESS_KEY_FILE": str(tmp_path / "secret"),
        }
    )

    assert settings.tokens == {
        "INTERLOCK_SMTP_PASSWORD": "a password of mail",
        "AWS_SECRET_ACCESS_KEY": "a secret of aws",
    }
    assert "password of mail" not in repr(settings)
