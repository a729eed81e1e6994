"""The reports of a pack: tables for spreadsheets, and a page to read (AUDIT.md section 10)."""
