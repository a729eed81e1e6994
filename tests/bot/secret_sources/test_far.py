"""Stores of others: what they refuse, and what it means when they are away."""

import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.master import master_of
from bot.settings import Settings, SettingsError, read_settings
from storage.database import open_database
from storage.journal import utc_now
from storage.master_key import HomeMaster
from storage.resealing import reseal
from storage.sealing import open_sealer
from tests.bot.anchors.answering import Asked, Said, answering
from tests.bot.anchors.pretend_kms import KEY, PretendKms
from tests.bot.secret_sources.places import LOG, NOW, Kept, SecretsManager, Vault
from tests.bot.secret_sources.pretend_stores import DELETED, SECRET, TOKEN
from tests.storage.test_resealing import told
from workflows.errors import SecretError, SecretUnreadableError

VALUE = "sesame-sesame-0192"
AWS = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
}


@pytest.fixture
def vault() -> Iterator[Vault]:
    made = Vault()
    made.put("shop_token", VALUE)
    yield made
    made.close()


@pytest.fixture
def manager() -> Iterator[SecretsManager]:
    made = SecretsManager()
    made.put("shop_token", VALUE)
    yield made
    made.close()


def test_a_token_in_a_file_is_read_for_each_use_and_kept_out_of_texts(
    vault: Vault, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("hvs.of-yesterday\n")
    source = vault.under(tmp_path / "token")
    with pytest.raises(SecretError, match="403"):
        source.find("shop_token")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    found = source.find("shop_token")

    assert found is not None
    assert (found.value, found.version) == (VALUE, 1)
    assert vault.learnt == ["hvs.of-yesterday", TOKEN]


def test_a_vault_in_trouble_is_an_error_that_passes(vault: Vault) -> None:
    vault.pretend.is_sealed = True
    with pytest.raises(SecretUnreadableError, match="503"):
        vault.source.find("shop_token")
    vault.url = "http://127.0.0.1:9"

    with pytest.raises(SecretUnreadableError, match="did not answer"):
        vault.under(SecretStr(TOKEN)).find("shop_token")


def test_a_version_that_was_deleted_is_not_passed_by(vault: Vault) -> None:
    vault.pretend.put("shop_token", DELETED)

    with pytest.raises(SecretError, match="the secret shop_token in Vault was deleted"):
        vault.source.find("shop_token")


def test_a_path_that_vault_does_not_know_is_not_passed_by(vault: Vault) -> None:
    with pytest.raises(SecretError, match="no place in which") as refusal:
        vault.under(SecretStr(TOKEN), path="kv/data/").find("shop_token")

    assert "INTERLOCK_VAULT_PATH" in (refusal.value.hint or "")


def test_a_vault_that_never_answers_is_not_waited_for(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.secret_sources.vault.SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        vault.url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(SecretUnreadableError, match="timed out"):
            vault.under(SecretStr(TOKEN)).find("shop_token")


def test_a_vault_that_breaks_off_while_it_refuses_is_an_error_that_passes(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.secret_sources.vault.SECONDS", 0.1)

    def begin() -> None:
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nsea")
        held.enter_context(connection)  # It stays open, and nothing more comes.

    held = ExitStack()
    with held, socket.create_server(("127.0.0.1", 0)) as server:
        vault.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        beginning = threading.Thread(target=begin, daemon=True)
        beginning.start()
        # On a busy machine the time for the whole answer may be over before a pause is noticed.
        with pytest.raises(SecretUnreadableError, match=r"timed out|did not come in time"):
            vault.under(SecretStr(TOKEN)).find("shop_token")
        beginning.join()


def test_a_token_that_no_header_can_hold_is_refused_without_being_shown(vault: Vault) -> None:
    source = vault.under(SecretStr("hvs.first\nhvs.second"))
    with pytest.raises(SecretUnreadableError, match="no header may hold") as refusal:
        source.find("shop_token")

    told = "".join(traceback.format_exception(refusal.value))
    assert "hvs." not in told


def test_another_namespace_has_none_of_it(vault: Vault) -> None:
    assert vault.under(SecretStr(TOKEN), namespace="dev").find("shop_token") is None


def test_a_name_stays_one_name_in_the_path(vault: Vault) -> None:
    assert vault.source.find("../../sys/seal?x=") is None
    assert vault.pretend.asked == ["/v1/secret/data/bot/..%2F..%2Fsys%2Fseal%3Fx%3D"]


@pytest.mark.parametrize("value", [None, 12345678, {"nested": VALUE}])
def test_what_is_no_text_is_refused_without_being_shown(vault: Vault, value: object) -> None:
    vault.pretend.put("odd", value)

    with pytest.raises(SecretError, match="no text in the field `value`") as refusal:
        vault.source.find("odd")
    assert VALUE not in str(refusal.value)


def test_an_answer_that_sends_elsewhere_is_not_followed() -> None:
    def elsewhere(asked: Asked) -> Said:
        seen.append(asked.headers["x-vault-token"])
        return Said(307, b"")

    seen: list[str] = []
    made = Vault()
    with answering(elsewhere) as url:
        made.url = url
        with pytest.raises(SecretUnreadableError, match="307"):
            made.under(SecretStr(TOKEN)).find("shop_token")
    made.close()

    assert seen == [TOKEN]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ("ThrottlingException", SecretUnreadableError),
        ("InternalServiceError", SecretUnreadableError),
        ("AccessDeniedException", SecretError),
        ("DecryptionFailure", SecretError),
    ],
)
def test_what_aws_refuses_is_told_by_its_name(
    manager: SecretsManager, trouble: str, kind: type[SecretError]
) -> None:
    manager.pretend.trouble = trouble

    with pytest.raises(SecretError, match=trouble) as refusal:
        manager.source.find("shop_token")
    assert type(refusal.value) is kind


def test_a_request_that_is_signed_by_another_secret_is_refused(manager: SecretsManager) -> None:
    manager.pretend.secret = "another"

    with pytest.raises(SecretError, match="InvalidSignatureException"):
        manager.source.find("shop_token")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"INTERLOCK_VAULT_URL": "https://vault"}, "INTERLOCK_VAULT_TOKEN"),
        ({"INTERLOCK_VAULT_URL": "http://vault"}, "https://"),
        ({"INTERLOCK_AWS_SECRETS": "interlock/"}, "AWS_REGION"),
        ({"INTERLOCK_SECRETS_KMS_KEY": KEY, "AWS_REGION": "eu"}, "AWS_ACCESS_KEY_ID"),
    ],
)
def test_what_is_half_set_is_refused(given: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        read_settings(given)


@pytest.fixture
def kms() -> Iterator[tuple[PretendKms, Settings]]:
    pretend = PretendKms()
    with answering(pretend) as url:
        settings = {"INTERLOCK_SECRETS_KMS_KEY": KEY, "INTERLOCK_KMS_URL": url, **AWS}
        yield pretend, read_settings(settings)


def test_the_sealing_key_moves_from_the_home_to_kms_and_opens_there_alone(
    kms: tuple[PretendKms, Settings], sqlite_url: str, tmp_path: Path
) -> None:
    pretend, settings = kms[0], kms[1].model_copy(update={"home": tmp_path})
    kept = Kept(sqlite_url, tmp_path, master=HomeMaster(tmp_path))
    kept.put("shop_token", VALUE)
    master = master_of(settings, now=utc_now)
    reseal(kept.store, log=LOG, master=master, following=master, told=told)
    (tmp_path / "keys" / "secrets.key").unlink()
    kept.reopen(master)
    found = kept.source.find("shop_token")
    pretend.wraps = b"x" * 32

    assert found is not None
    assert found.value == VALUE
    assert "Decrypt" in pretend.asked
    with pytest.raises(SecretError, match="another master key"):
        kept.reopen(master)
    kept.close()


def test_a_key_of_another_log_is_not_decrypted(
    kms: tuple[PretendKms, Settings], sqlite_url: str, tmp_path: Path
) -> None:
    master = master_of(kms[1], now=utc_now)
    Kept(sqlite_url, tmp_path, master=master).close()
    database = open_database(sqlite_url)

    with pytest.raises(SecretError, match="another master key"):
        open_sealer(database, log="another/log", master=master, now=NOW)
    database.close()


def test_a_kms_that_is_away_is_an_error_that_passes(
    kms: tuple[PretendKms, Settings], sqlite_url: str, tmp_path: Path
) -> None:
    kms[0].is_away = True

    with pytest.raises(SecretUnreadableError, match="503"):
        Kept(sqlite_url, tmp_path, master=master_of(kms[1], now=utc_now))


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ("ThrottlingException", SecretUnreadableError),
        ("KMSInternalException", SecretUnreadableError),
        ("DisabledException", SecretError),
    ],
)
def test_what_kms_refuses_for_a_while_is_asked_again(
    kms: tuple[PretendKms, Settings], trouble: str, kind: type[SecretError]
) -> None:
    kms[0].trouble = trouble

    with pytest.raises(SecretError, match=trouble) as refusal:
        master_of(kms[1], now=utc_now).wrap(b"k" * 32, aad=b"aad")
    assert type(refusal.value) is kind
