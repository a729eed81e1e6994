"""Decides: definitions, policy, gates and the engine. No Slack, no SQL."""
