"""Slack's limits as data, in one place; `wording.clip`, the views and the checks read them.

Where Slack's own sources disagree, the smaller figure stands. Lengths are counted as Slack's
clients count them, in UTF-16 units, so an emoji is two.
"""

# A message.
MESSAGE_BLOCKS = 50
MESSAGE_CHARACTERS = 12_000  # Slack refuses from about 13,300 on, undocumented.
BLOCK_CHARACTERS = 125  # What each block counts against it besides its text, undocumented too.
MESSAGE_TEXT = 4_000  # `chat.update` refuses more.

# Text inside blocks.
TEXT = 3_000
FIELD = 2_000
FIELDS = 10
HEADER = 150
CONTEXT_ELEMENTS = 10
ACTION_ELEMENTS = 25
LABEL = 2_000
HINT = 2_000
PLACEHOLDER = 150

# Things to press and choose.
BUTTON = 75
BUTTON_VALUE = 2_000
URL = 3_000
ACTION_ID = 255
BLOCK_ID = 255
OPTIONS = 100
RADIO_OPTIONS = 10
OPTION = 75
OPTION_VALUE = 75  # Slack's page says 150, its own types say 75.
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
TEXT_INPUT = 3_000

# Modals.
VIEW_BLOCKS = 100
VIEW_TITLE = 24
VIEW_BYTES = 250_000
PRIVATE_METADATA = 3_000
CALLBACK_ID = 255

# Tables and charts.
TABLE_ROWS = 100  # The header row is one of them.
TABLE_COLUMNS = 20
TABLE_CHARACTERS = 10_000
TABLE_PAGE = 100
CHARTS = 2
CHART_TITLE = 50
CHART_LABEL = 20
CHART_POINTS = 20
CHART_SERIES = 6
