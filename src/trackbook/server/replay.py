"""The routes of replay: a run's recipe, and replays that processes of their own carry out."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import InvalidValue, RunNotFound, TrackbookError
from ..reading import Run
from ..replay import process, trust
from ..replay.log import FileSeen
from ..replay.recipe import RecipeCell
from ..store import Store
from .handlers import Handler

# At a time; each may need as much memory as the notebook itself.
_MOST = 4
_KEPT = 100


class _Job:
    """A replay and the thread that hears it."""

    def __init__(self, store: Store, run_id: str, wishes: Mapping[str, Any]) -> None:
        self.run_id = run_id
        self.failure = ""
        self.replay = process.Replay(store, run_id, wishes)
        self._cancelled = False
        self._thread = threading.Thread(target=self._hear, name="trackbook-replay", daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        try:
            for _ in self.replay.events():
                pass
        except (TrackbookError, OSError, ValueError) as problem:
            self.failure = str(problem)

    @property
    def running(self) -> bool:
        """Whether it is not over."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """End it; returns when it is over."""
        self._cancelled = True
        self.replay.stop()
        self._thread.join()

    def plain(self) -> dict[str, Any]:
        """Its state as a front end gets it."""
        verdict = self.replay.verdict
        told: dict[str, Any] = {
            "state": "running" if self.running else "done",
            "cell": self.replay.cell,
            "of": self.replay.of,
            "recipe": self.replay.recipe,
            "verdict": verdict.plain() if verdict is not None else None,
        }
        if told["state"] == "done" and verdict is None:
            told["verdict"] = {"status": "not determined", "causes": [], "compared": []}
            why = "cancelled" if self._cancelled else self.failure or "it ended without a word"
            told["verdict"]["text"] = f"not determined: {why}"
        return told


class Replays:
    """The replays of this server, by job."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], _Job] = {}

    def start(self, store: Store, run_id: str, wishes: Mapping[str, Any]) -> str:
        """Begin a replay, or join the one of this run that is running; returns its job."""
        running = {name: job for name, job in self._jobs.items() if job.running}
        for (store_id, name), job in running.items():
            if store_id == store.id and job.run_id == run_id:
                return name
        if len(running) >= _MOST:
            raise InvalidValue(f"{_MOST} replays are running; cancel one, or wait for one")
        for old in [key for key in self._jobs if key not in running][:-_KEPT]:
            del self._jobs[old]
        name = os.urandom(8).hex()
        self._jobs[store.id, name] = _Job(store, run_id, wishes)
        return name

    def get(self, store_id: str, name: str) -> _Job:
        """A job; raises ``RunNotFound`` where there is none."""
        job = self._jobs.get((store_id, name))
        if job is None:
            raise RunNotFound(f"there is no replay {name!r:.40}")
        return job

    def close(self) -> None:
        """End those that are running."""
        for job in list(self._jobs.values()):
            if job.running:
                job.cancel()


class _Handler(Handler):
    @property
    def replays(self) -> Replays:
        """The replays of this server."""
        replays: Replays = self.settings["trackbook_replays"]
        return replays


class RecipeHandler(_Handler):
    """``stores/<id>/runs/<run>/recipe``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str) -> None:
        """The recipe with grade and verdict."""
        await self.answer(lambda: _recipe(self.shelf.get(store_id), run_id))


def _recipe(store: Store, run_id: str) -> dict[str, Any]:
    run = Run(store, store.document(run_id))
    recipe, verdict, grade = run.recipe(), run.verdict, run.grade
    return {
        "cells": [_cell(cell) for cell in recipe.cells],
        "dropped": [_cell(cell) for cell in recipe.dropped],
        "grade": grade.plain() if grade is not None else None,
        "verdict": verdict.plain() if verdict is not None else None,
        "flags": list(recipe.flags),
        "inputs": [_input(seen) for seen in recipe.inputs],
    }


def _cell(cell: RecipeCell) -> dict[str, Any]:
    one = cell.execution
    told = {"order": one.order, "cell": one.cell, "count": one.count, "ok": one.ok}
    return {**told, "source": cell.source, "reason": cell.reason, "target": cell.target}


def _input(seen: FileSeen) -> dict[str, Any]:
    told = {"path": seen.path, "how": seen.how, "size": seen.size, "hash": seen.hash}
    return {**told, "kept": seen.blob is not None}


class ReplayHandler(_Handler):
    """``stores/<id>/runs/<run>/replay``."""

    @web.authenticated
    @authorized
    async def post(self, store_id: str, run_id: str) -> None:
        """Begin a replay: ``{"trust": bool, "allow_writes": bool}``; 403 shows foreign code."""
        body = self.body("trust and allow_writes")
        known = {"trust": False, "allow_writes": False}
        if not body.keys() <= known.keys() or not all(isinstance(v, bool) for v in body.values()):
            raise web.HTTPError(400, "the body has trust and allow_writes, each true or false")

        def begin() -> dict[str, Any]:
            store = self.shelf.get(store_id)
            document = store.document(run_id)
            if not body.get("trust"):
                trust.check(store, document, Run(store, document).recipe(full=True))
            return {"job": self.replays.start(store, run_id, {**known, **body})}

        await self.answer(begin)


class JobHandler(_Handler):
    """``stores/<id>/replays/<job>``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, job: str) -> None:
        """How far the replay is, and what it says."""
        await self.answer(lambda: self.replays.get(store_id, job).plain())

    @web.authenticated
    @authorized
    async def delete(self, store_id: str, job: str) -> None:
        """Cancel it."""

        def cancel() -> dict[str, Any]:
            found = self.replays.get(store_id, job)
            found.cancel()
            return found.plain()

        await self.answer(cancel)


_STORE = r"stores/([^/]+)"
HANDLERS = [
    (url_path_join("/trackbook", route), handler)
    for route, handler in (
        (rf"{_STORE}/runs/([^/]+)/recipe", RecipeHandler),
        (rf"{_STORE}/runs/([^/]+)/replay", ReplayHandler),
        (rf"{_STORE}/replays/([0-9a-f]+)", JobHandler),
    )
]
