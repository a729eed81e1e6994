"""One file per message or modal: frozen value in, typed blocks out."""
