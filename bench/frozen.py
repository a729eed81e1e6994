"""Imported last by a process that others are forked from, so that they never look through it.

A child's first full collection touches every object it was born with, and so copies every page
they lie on: a tenth of a second that no work of its own asks for.
"""

from bench.process import freeze

freeze()
