"""What an auditor is handed: a folder or zip that verifies without us (AUDIT.md section 10)."""
