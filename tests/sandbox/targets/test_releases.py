"""The releases of the demo: git itself remembers who moved what."""

import subprocess
from pathlib import Path

from sandbox.targets.releases import RELEASES, deployed, effects, git_path, seed


def git(repository: Path, *words: str) -> str:
    done = subprocess.run(
        [git_path(), *words], cwd=repository, env={}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_newest_release_is_deployed_and_nothing_has_been_moved(tmp_path: Path) -> None:
    repository = seed(tmp_path)

    assert git(repository, "tag", "--list").split() == list(RELEASES)
    assert deployed(repository) == "v1.6"
    assert effects(repository) == []


def test_rolling_back_moves_the_deployed_branch_and_is_seen(tmp_path: Path) -> None:
    repository = seed(tmp_path)
    git(repository, "branch", "--force", "deployed", "v1.5")

    assert deployed(repository) == "v1.5"
    assert [move.release for move in effects(repository)] == ["v1.5"]


def test_seeding_twice_undoes_nothing(tmp_path: Path) -> None:
    git(seed(tmp_path), "branch", "--force", "deployed", "v1.4")

    assert deployed(seed(tmp_path)) == "v1.4"


def test_a_seed_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "releases.begun" / ".git").mkdir(parents=True)

    assert deployed(seed(tmp_path)) == "v1.6"


def test_two_repositories_are_seeded_alike(tmp_path: Path) -> None:
    one, other = seed(tmp_path / "one"), seed(tmp_path / "other")

    assert git(one, "rev-parse", "main") == git(other, "rev-parse", "main")
