"""``python -m trackbook.cli``: the command, where it is not on the path."""

from __future__ import annotations

from . import main

main()
