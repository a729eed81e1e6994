"""How things reach the app: Socket Mode, signed HTTP, deadlines and retries."""
