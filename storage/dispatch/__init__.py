"""Ways to continue runs: in this process (`embedded`), or on many machines (`distributed`)."""
