"""How a language model is asked: redacted words out, checked words in, both on record."""
