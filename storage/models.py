"""Every row there is, so that migrations and the drift test see the whole schema."""

from storage import (
    access_models,
    anchor_models,
    audit_models,
    delegation_models,
    home_models,
    installation_models,
    limit_models,
    message_models,
    move_models,
    push_models,
    run_models,
    schedule_models,
    schema_models,
    secret_models,
    step_up_models,
)
from storage.base import Base, tell_postgres

__all__ = [
    "SEARCH_OBJECTS",
    "Base",
    "access_models",
    "anchor_models",
    "audit_models",
    "delegation_models",
    "home_models",
    "installation_models",
    "limit_models",
    "message_models",
    "move_models",
    "push_models",
    "run_models",
    "schedule_models",
    "schema_models",
    "secret_models",
    "step_up_models",
]

tell_postgres(Base.metadata)

# The full-text index differs by database and stands in its migration alone.
SEARCH_OBJECTS = frozenset(
    {
        "summary_fts",
        "summary_fts_config",
        "summary_fts_data",
        "summary_fts_docsize",
        "summary_fts_idx",
        "summary_fts_words",
        "summary_fts_words_config",
        "summary_fts_words_data",
        "summary_fts_words_docsize",
        "summary_fts_words_idx",
        "summary.search",
        "ix_summary_search",
        "summary.word_places",
        "ix_summary_word_places",
    }
)
