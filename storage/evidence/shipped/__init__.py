"""Files that go into every pack as they are, and import nothing of ours."""
