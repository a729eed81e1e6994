"""The parts that workflows of rehearsals share: a question at the start, removals at the end."""

ASKS = """
workflow: tidy-up
title: Tidy up
owner: "@owners"
deputy: "@deputies"
steps:
  - id: which
    ask:
      of: ["@owners"]
      question: How old?
      fields: {days: {type: integer, title: Days}}
      expires: 8h
"""
REMOVES = """\
  - id: each
    foreach: "${{ steps.found.output.rows }}"
    steps:
      - id: remove
        uses: sql.execute
        with:
          database: crm
          statement: DELETE FROM thing WHERE id = :id
          parameters: {id: "${{ item.id }}"}
"""
