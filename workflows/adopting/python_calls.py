"""How grave a call of a Python script may be, by its name: what is not known is the worst."""

import ast
import sys
from collections.abc import Iterable

from workflows.actions.base import Effect
from workflows.adopting.programs import words

SENDERS = frozenset({"requests", "httpx", "session", "client", "http"})
RUNS = frozenset(
    f"subprocess.{one}" for one in ("run", "call", "check_call", "check_output", "Popen")
)
SHELLS = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
) | {"asyncio.create_subprocess_shell"}
# Programs whose words are arguments of their own: the first of them is not always the program.
STARTS = ("os.exec", "os.spawn", "os.posix_spawn", "asyncio.create_subprocess_exec")
WORKED_OUT = frozenset({"exec", "eval", "__import__", "importlib.import_module"})
# Of the standard library, what reaches other machines or anything at all.
REACHES = ("urllib.request.", "http.client.", "smtplib.", "ftplib.", "xmlrpc.client.", "ctypes.")
EXECUTES = frozenset({"execute", "executemany", "executescript"})
REMOVES = {
    "os.remove": ("rm",),
    "os.unlink": ("rm",),
    "os.rmdir": ("rmdir",),
    "os.removedirs": ("rmdir", "-p"),
    "shutil.rmtree": ("rm", "-r"),
    "os.kill": ("kill",),
}
CHANGES_FILES = words(
    "os.rename os.replace os.chmod os.chown os.mkdir os.makedirs os.symlink shutil.move"
    " shutil.copy shutil.copyfile shutil.copytree"
)
# Methods of objects whose kind is not to be seen, by what they most probably do.
LOSES = ("delete", "remove", "terminate", "destroy", "purge", "drop", "unlink", "rmdir", "truncate")
WRITES = ("put_", "create_", "update_", "send_", "post_", "modify_", "write_text", "write_bytes")
OPENS = frozenset({"client", "resource", "connect", "Client", "Session", "create_engine"})
READS = ("describe_", "list_", "get_", "head_")


def guess(node: ast.Call, name: str, imported: Iterable[str]) -> Effect | None:
    """Return how grave a call of something else may be; None for what stays inside.

    `imported` are the full names of what the script imports.
    """
    last = name.rpartition(".")[2]
    if name in WORKED_OUT or not isinstance(node.func, ast.Name | ast.Attribute):
        return Effect.DESTRUCTIVE  # What is called is worked out.
    if last.startswith(LOSES):
        # A `remove` with one value is most often one of a list or set of the script's own.
        return None if last == "remove" and len(node.args) == 1 else Effect.DESTRUCTIVE
    if name.startswith((*STARTS, *REACHES)):
        return Effect.DESTRUCTIVE
    if name in CHANGES_FILES or last.startswith(WRITES):
        return Effect.WRITE
    if last == "open":
        return Effect.WRITE if _writes(node, place=1 if name == "open" else 0) else None
    if last.startswith(READS) and "." in name:
        return Effect.READ
    first = name.partition(".")[0].removesuffix("()")
    modules = {one.partition(".")[0] for one in imported}
    is_foreign = "." in name and first in modules and first not in sys.stdlib_module_names
    return Effect.DESTRUCTIVE if is_foreign and last not in OPENS else None


def is_grave(name: str) -> bool:
    """Say whether whoever is handed a function of that name may do something grave with it."""
    return name in (*RUNS, *SHELLS, *REMOVES, *CHANGES_FILES) or name.startswith(STARTS)


def _writes(node: ast.Call, *, place: int) -> bool:
    modes = (one.value for one in node.keywords if one.arg == "mode")
    mode = node.args[place] if len(node.args) > place else next(modes, None)
    return isinstance(mode, ast.Constant) and any(one in str(mode.value) for one in "wax+")
