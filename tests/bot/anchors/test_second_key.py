"""The second key signs anchored heads after their commit, and catches up where it could not."""

from datetime import timedelta
from pathlib import Path

from bot.anchors.folder import Folder
from bot.anchors.second_key import SecondKey, second_signer
from bot.settings import Settings
from storage.checkpoint import Signer, read_note, read_vkey
from storage.journal import utc_now
from storage.key_changes import KeyOffice
from tests.bot.anchors.answering import answering
from tests.bot.anchors.conftest import Ledger
from tests.bot.anchors.pretend_kms import KEY, SECRET, PretendKms
from tests.storage.machines import RITA


def signer_at(url: str, ledger: Ledger) -> Signer:
    chosen = {
        "kms_key": KEY,
        "kms_url": url,
        "aws_region": "eu-central-1",
        "aws_access_key": "AKIDEXAMPLE",
        "aws_secret_key": SECRET,
    }
    origin = ledger.store.journal.origin
    found = second_signer(Settings.model_validate(chosen), origin=origin, now=utc_now)
    assert found is not None
    return found


def test_anchored_heads_carry_both_lines_once_the_key_can_be_asked(
    any_ledger: Ledger, tmp_path: Path
) -> None:
    ledger, kms = any_ledger, PretendKms()
    path = tmp_path / "anchors"
    path.mkdir()
    ledger.outsiders.append(Folder(path=path, log_id="x", now=ledger.clock))
    with answering(kms) as url:
        ledger.second = SecondKey(signer=signer_at(url, ledger), database=ledger.store.database)
        ledger.look()
        unknown = ledger.turns()["second key"].error
        office = KeyOffice(ledger.store.database, ledger.store.journal, person=RITA)
        added = office.add_second(ledger.second.signer)
        kms.is_away = True
        ledger.grows()
        ledger.clock.at += timedelta(hours=24)
        ledger.look()
        missed = [len(ledger.lines(size)) for size in sizes(ledger)]
        kms.is_away = False
        ledger.clock.at += timedelta(minutes=5)
        ledger.look()

    assert "`interlock keys second` brings it in" in unknown
    assert missed == [1, 1]
    assert [len(ledger.lines(size)) for size in sizes(ledger)] == [2, 2]
    assert ledger.turns()["second key"].failures == 0
    assert ledger.verified().exit == 0
    signers = read_note(ledger.kept_note(sizes(ledger)[1])).signers([read_vkey(added.key.vkey)])
    assert len(signers) == 1


def sizes(ledger: Ledger) -> list[int]:
    return [int(str(one.data["size"])) for one in ledger.anchors()]
