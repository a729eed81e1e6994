"""What an auditor is handed: a folder or zip that verifies without us (AUDIT.md section 10)."""

from storage.evidence.export import Disclosure, Exported, Request, export
from storage.evidence.ranges import Bounds

__all__ = ["Bounds", "Disclosure", "Exported", "Request", "export"]
