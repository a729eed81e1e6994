"""Ways to continue runs: in this process (`embedded`)."""
