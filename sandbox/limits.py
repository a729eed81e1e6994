"""Slack's limits as data: the one place the sandbox reads a figure from.

Where Slack's own sources disagree the smaller figure stands here, so what passes the
sandbox passes the stricter reading. How a limit is enforced is told in `rules/`.
"""

from typing import Final

# A message as a whole.
MESSAGE_BLOCKS: Final = 50
MESSAGE_BLOCK_TEXT: Final = 13_422
BLOCK_WEIGHT: Final = 125
MESSAGE_TEXT: Final = 40_000
UPDATE_TEXT: Final = 4_000
MARKDOWN_TEXT: Final = 12_000
METADATA_BYTES: Final = 8_192
TABLES: Final = 1
CHARTS: Final = 2

# Text and identifiers.
TEXT_OBJECT: Final = 3_000
SECTION_FIELDS: Final = 10
SECTION_FIELD: Final = 2_000
HEADER: Final = 150
ALT_TEXT: Final = 2_000
IMAGE_TITLE: Final = 2_000
URL: Final = 3_000
IDENTIFIER: Final = 255
LABEL: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
ACTION_ELEMENTS: Final = 25

# Elements.
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
OPTIONS: Final = 100
OPTION_GROUPS: Final = 100
OVERFLOW_OPTIONS: Final = 5
CHECKED_OPTIONS: Final = 10
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
PLACEHOLDER: Final = 150
INPUT_LENGTH: Final = 3_000
FILES: Final = 10
FILE_TYPES: Final = 100
FILE_TYPE: Final = 20
FILE_BYTES: Final = 10_000_000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

# Tables and charts.
TABLE_ROWS: Final = 100
TABLE_CELLS: Final = 20
TABLE_CHARACTERS: Final = 10_000
DATA_TABLE_CHARACTERS: Final = 20_000
DATA_TABLE_PAGE: Final = 100
CHART_TITLE: Final = 50
CHART_LABEL: Final = 20
CHART_POINTS: Final = 20
CHART_SERIES: Final = 6

# Modals and Home.
VIEW_BLOCKS: Final = 100
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000
VIEW_BYTES: Final = 250_000
VIEW_STACK: Final = 3

# Time, in seconds unless the name says otherwise.
TRIGGER_SECONDS: Final = 3.0
ACK_SECONDS: Final = 3.0
RESPONSE_URL_SECONDS: Final = 1_800.0
RESPONSE_URL_USES: Final = 5
STEP_TOKEN_SECONDS: Final = 900.0
TICKET_SECONDS: Final = 30.0
EVENT_RETRIES: Final = (0.0, 60.0, 300.0)
CONNECTIONS: Final = 10

# Pages of results.
PAGE: Final = 100
PAGE_MOST: Final = 1_000
REPLIES_MOST: Final = 999

# Calls a minute by tier, and the posts of one channel: how many at once, then one a second.
TIERS: Final = {1: 1, 2: 20, 3: 50, 4: 100}
SPECIAL_PER_MINUTE: Final = 600
POST_BURST: Final = 5
POSTS_PER_SECOND: Final = 1.0
