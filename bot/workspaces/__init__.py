"""Many workspaces in one process: who installed the app, and a bot of its own for each."""
