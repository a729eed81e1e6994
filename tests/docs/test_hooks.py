"""The hooks for pre-commit start commands that there are, with the folder that they say."""

from pathlib import Path

from click.testing import CliRunner
from ruamel.yaml import YAML

import workflows
from bot.cli import main
from tests.docs.pages import ROOT

SHIPPED = Path(workflows.__file__).parent / "definitions"


def test_each_hook_ends_well_on_the_workflows_that_are_shipped() -> None:
    hooks = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())
    ends = {}
    for hook in hooks:
        program, *words = hook["entry"].split()
        folders = [str(SHIPPED) if one == "workflows" else one for one in hook["args"]]
        policy = ["--policy", str(SHIPPED / "demo-policy.yaml")]
        only = ["--only", "asks nobody"] if "test" in words else []
        done = CliRunner().invoke(main, [*words, *folders, *policy, *only])
        ends[hook["id"]] = (program, hook["pass_filenames"], done.exit_code)

    assert ends == {
        "interlock-check": ("interlock", False, 0),
        "interlock-test": ("interlock", False, 0),
    }
