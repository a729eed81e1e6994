"""The Web API: one file per family of methods; `table` holds them all."""
