"""Removes payloads and keeps the proof: terms, legal holds, the erasure of a person."""
