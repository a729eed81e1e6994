"""The names and words of `audit-evidence/1`, used by who writes packs and by who checks them."""

FORMAT = "audit-evidence/1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.dsse.json"
MANIFEST_TYPE = b"application/vnd.audit-manifest.v1+json"
ENTRIES = "entries.jsonl"
LEAVES = "leaves.bin"
CONTEXT = "context.jsonl"
DISCLOSURES = "disclosures.jsonl"
SUBJECTS = "subjects.jsonl"
INDEX = "index.csv"
STATE = "state.json"
CHECKPOINT = "checkpoint"
CHECKPOINTS = "checkpoints/"
PROOFS = "proofs/"
REPORTS = "reports/"
REPORT = "report.html"
VERIFIER = "verify.html"
INDEX_COLUMNS = "idx,run,rseq,ts,kind,actor"
ENTRY_TYPE = "application/vnd.audit-entry.v1+json"
SIZE_DIGITS = 12
# Every pack has these, whatever its range.
REQUIRED = (
    ENTRIES,
    LEAVES,
    CONTEXT,
    DISCLOSURES,
    SUBJECTS,
    INDEX,
    STATE,
    CHECKPOINT,
)

README = "README"
SCRIPT = "verify.py"
# For people: the log can be judged without them, and something was taken out all the same.
FOR_PEOPLE = (
    README,
    SCRIPT,
    *(
        f"{REPORTS}{one}.csv"
        for one in ("population", "approvals", "sod", "exceptions", "changes", "retention", "ai")
    ),
)


def checkpoint_name(size: int) -> str:
    """Return the name of the file of a kept note."""
    return f"{CHECKPOINTS}{size:0{SIZE_DIGITS}}"


def proof_name(index: int) -> str:
    """Return the name of the file of an entry's proof."""
    return f"{PROOFS}{index}.tlog-proof"


def report_name(report: str) -> str:
    """Return the name of the file of a report."""
    return f"{REPORTS}{report}.csv"


def index_row(*, index: int, run: str | None, rseq: int, ts: str, kind: str, actor: str) -> str:
    """Return an entry's row of `index.csv`; none of its values needs quoting."""
    return f"{index},{run or ''},{rseq},{ts},{kind},{actor}"
