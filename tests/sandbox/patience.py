"""How long the sandbox waits for an app, where how soon a busy machine answers is not judged."""

PATIENCE = 20.0
