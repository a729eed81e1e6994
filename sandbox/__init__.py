"""Pretends: a Slack for this machine, and targets worth acting on."""
