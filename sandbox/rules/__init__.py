"""Which blocks and views Slack accepts, as shapes over the figures in `limits`."""
