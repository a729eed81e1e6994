"""What `interlock doctor` looks at: everything a bot needs, each with what to do about it."""
