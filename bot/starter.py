"""What `interlock init` puts into a new home folder, to be changed by whoever runs the bot."""

POLICY = """\
# Who must agree to what. A workflow file may ask for more than this, never for less.
# `interlock policy check` says what is wrong with this file.
defaults:
  expires: 24h          # A request that nobody answers ends then, and its step does not run.

roles:
  governors: ["@ops-governors"]

rules:
  - name: anything that cannot be undone
    when: effect == "destructive"
    stages:
      - {from: ["@ops-approvers"], approve: 1}

# Who agrees before a changed file counts: here the workflow's owner and a governor.
# publish: {}

# What actions may touch. Workflow files use only the names given here.
# services:
#   shop:
#     base_url: https://shop.example.com/api
#     secret_header: {name: Authorization, prefix: "Bearer ", secret: shop_token}
# Its value comes from the environment: INTERLOCK_SECRET_SHOP_TOKEN, or a file named by
# INTERLOCK_SECRET_SHOP_TOKEN_FILE.
"""
