"""The demo: a pretend Slack, real targets with real data, and the bot as it runs in production."""
