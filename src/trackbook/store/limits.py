"""How much is read of each kind of file, in bytes: a store is data from anywhere."""

from __future__ import annotations

IDENTITY = 1 << 16
DOCUMENT = 1 << 26
"""``run.json``: 64 MiB; a writer refuses more, too."""
EDIT = 1 << 22
LINES = 1 << 28
"""``cells.jsonl``, ``artifacts.jsonl``."""
LOGS = 1 << 26
NAMES = 1 << 26
RECORDS = 1 << 31
"""``metrics.bin``: 76 million points."""
TALLIED = 1 << 28
"""Of a larger log readers take the summary from the document, not from the points."""
KEYS = 1 << 20
"""Metric names of one run."""
NOTICES = 1 << 26
CLAIMS = 1 << 26
PART = 1 << 30
"""Any other file of a run, and any that ``merge`` copies but ``metrics.bin``."""
CATALOGUE = 1 << 30
