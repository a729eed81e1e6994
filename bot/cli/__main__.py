"""Lets `python -m bot.cli` do what `interlock` does."""

from bot.cli import main

main()
