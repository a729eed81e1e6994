"""How a bot stands, in the form that Prometheus reads. Off unless a setting asks for it."""
