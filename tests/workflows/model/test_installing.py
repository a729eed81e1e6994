"""What is installed for the worker, and what is refused before anything of it runs."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from workflows.model.installing import LOCK, InstallError, check_lock, check_wheel, install_worker

GOOD = f"litellm==1.110.2 \\\n    --hash=sha256:{'0' * 64}\n"


def a_wheel(folder: Path, *names: str, called: str = "litellm-1.0-py3-none-any.whl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / called, "w") as wheel:
        for name in ("litellm/__init__.py", *names):
            wheel.writestr(name, "")
    return folder / called


def test_the_shipped_lock_can_be_used_and_says_a_hash_for_everything() -> None:
    text = LOCK.read_text()
    pinned = [line for line in text.splitlines() if line and line[0].isalnum()]

    assert check_lock(text)
    assert all(line.endswith("\\") for line in pinned)
    assert text.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize("version", ["1.107.0", "1.107.12", "1.82.7", "1.82.8"])
def test_releases_that_were_poisoned_are_refused(version: str) -> None:
    with pytest.raises(InstallError, match=f"litellm {version} is refused"):
        check_lock(GOOD.replace("1.110.2", version))


@pytest.mark.parametrize("version", ["1.82.70", "1.82.6", "1.10.7"])
def test_releases_beside_them_are_not(version: str) -> None:
    assert check_lock(GOOD.replace("1.110.2", version)) == version


@pytest.mark.parametrize(
    "line",
    [
        "-r other.lock",
        "--pre",
        "a @ file:a.whl",
        "./a.whl",
        "litellm>=1.0",
        "a==1.0 --no-binary :all:",
    ],
)
def test_a_lock_holds_nothing_but_versions_and_hashes(line: str) -> None:
    with pytest.raises(InstallError, match="versions and hashes only"):
        check_lock(f"{line}\n{GOOD}")


@pytest.mark.parametrize(
    "name",
    [
        "litellm_init.pth",
        "sitecustomize.py",
        "sitecustomize/__init__.py",
        "usercustomize.py",
        "litellm-1.0.data/purelib/x.pth",
        "litellm-1.0.data/platlib/sitecustomize.py",
        "litellm-1.0.data/data/lib/python3.11/site-packages/x.PTH",
    ],
)
def test_a_wheel_that_runs_by_itself_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InstallError, match="whenever Python starts"):
        check_wheel(a_wheel(tmp_path, name))


def test_a_file_of_that_name_deep_within_a_package_is_none(tmp_path: Path) -> None:
    check_wheel(a_wheel(tmp_path, "torch/weights.pth", "litellm/sitecustomize.py"))


class Pip:
    """Fetches the wheel it was given, and unpacks it."""

    def __init__(self, *names: str) -> None:
        self.did: list[str] = []
        self._names = names

    def __call__(self, words: Sequence[str]) -> None:
        self.did.append(words[0])
        if words[0] == "download":
            a_wheel(Path(words[words.index("--dest") + 1]), *self._names)
        else:
            target = Path(words[words.index("--target") + 1])
            (target / "litellm").mkdir(parents=True)


def test_a_good_worker_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    folder, lock = tmp_path / "home" / "model", tmp_path / "model.lock"
    lock.write_text(GOOD)
    (folder / "old").mkdir(parents=True)

    assert install_worker(folder, lock=lock, pip=Pip()) == "1.110.2"
    assert [one.name for one in folder.iterdir()] == ["litellm"]
    assert [one.name for one in folder.parent.iterdir()] == ["model"]


def test_a_bad_one_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    folder, lock, pip = tmp_path / "model", tmp_path / "model.lock", Pip("x.pth")
    lock.write_text(GOOD)
    (folder / "old").mkdir(parents=True)

    with pytest.raises(InstallError):
        install_worker(folder, lock=lock, pip=pip)

    assert pip.did == ["download"]
    assert (folder / "old").is_dir()
