"""Looking after a local store: what is done seldom, by hand, and must lose nothing."""

from __future__ import annotations
