"""Scripts and conversations as drafts of workflows. They are read, and never run."""
