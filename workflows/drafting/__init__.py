"""Workflow files that a program begins and a person finishes."""
