"""What the store costs, as ratios to something plain in the same run.

Times are CPU seconds of this process, the least of several repeats; a ratio holds on a busy machine
where a time does not. ``--full`` adds a store of 10,000 runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
from tinydb import TinyDB, where

from trackbook.jsonable import dumps
from trackbook.model import Document, new_document
from trackbook.store import LocalStore

REPEATS = 5
POINTS = 100_000


def least(action: Callable[[], object], repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return min(times)


def document(i: int) -> Document:
    made = new_document(name=f"run {i % 7}", experiment="bench", series="bench", number=i)
    made.update(
        status="finished",
        started=1.7e9 + i,
        ended=1.7e9 + i + 60,
        params={f"p{j}": j * 0.1 + i for j in range(15)},
        summary={f"m{j}": {"last": i % 100, "min": 0.0, "max": 1.0, "count": 9} for j in range(5)},
        env={"python": "3.11.7", "packages": {f"package{j}": "1.0" for j in range(10)}},
    )
    return made


def rows_of_logging(folder: Path) -> list[tuple[str, str, float, str, float]]:
    def empty(key: str, step: int, moment: float, value: float) -> None: ...

    writer = LocalStore(folder / "log").create(document(0))
    log, moment = writer.log, time.time()
    log("loss", 0, moment, 0.0)

    def calls(function: Callable[[str, int, float, float], None]) -> Callable[[], None]:
        def loop() -> None:
            for i in range(POINTS):
                function("loss", i, moment, 0.5)

        return loop

    __import__("numpy")  # as in any kernel that trains something
    nothing = least(calls(empty)) / POINTS
    packed = least(calls(log)) / POINTS
    writer.flush()

    def all_of_it() -> None:
        calls(log)()
        writer.flush()

    whole = least(all_of_it) / POINTS
    records = sum(p.step.size for p in LocalStore(folder / "log").points(writer.id).values())
    read = least(lambda: LocalStore(folder / "log").points(writer.id)) / records
    writer.finish()
    return [
        ("log, one point", "empty call", packed / nothing, "us", packed * 1e6),
        ("log, with its flush and summary", "log alone", whole / packed, "us", whole * 1e6),
        ("read back, a point", "empty call", read / nothing, "us", read * 1e6),
    ]


def rows_of_a_run(folder: Path) -> list[tuple[str, str, float, str, float]]:
    store = LocalStore(folder / "run")
    store.prepare()
    target = folder / "plain.json"

    def plain() -> None:
        for _ in range(2):
            target.write_bytes(dumps(document(0)))

    def start_and_finish() -> None:
        made = document(0)
        made["status"] = "running"
        writer = store.create(made)
        writer.document["status"] = "finished"
        writer.finish()

    reference, run = least(plain, 20), least(start_and_finish, 20)
    return [("start + finish of a run", "json to a file, twice", run / reference, "ms", run * 1e3)]


def rows_of_reading(folder: Path, runs: int) -> list[tuple[str, str, float, str, float]]:
    root = folder / f"store{runs}"
    store = LocalStore(root)
    store.prepare()
    for i in range(runs):
        made = document(i)
        made["id"] = f"2025{i // 300 % 12 + 1:02d}{i % 28 + 1:02d}{made['id'][8:]}"
        place = root / "runs" / made["id"][:8] / made["id"]
        place.mkdir(parents=True)
        (place / "run.json").write_bytes(dumps(made))
    time.sleep(2.1)  # until the folders count as quiet
    began = time.process_time()
    store.find(limit=1)
    rebuild = time.process_time() - began
    time.sleep(3.1)
    store.find(limit=1)
    store.write_back()
    (root / "index" / "catalog.json").unlink()
    written = least(store.write_back, 1)
    content = (root / "index" / "catalog.json").read_bytes()
    parse = least(lambda: orjson.loads(content))
    opened = least(lambda: LocalStore(root).find(limit=1), 3)
    quiet = least(lambda: [store.changes(1) for _ in range(100)]) / 100
    query = least(lambda: store.find("params.p3 < 100"))
    plain = folder / f"tinydb{runs}.json"
    rows = json.loads(content)["runs"]
    plain.write_text(json.dumps({"_default": rows}))
    with TinyDB(plain) as db:

        def search() -> None:
            db.clear_cache()
            db.search(where("params")["p3"] < 100)

        tiny = least(search, 2)
    size = f"{runs:,} runs: "
    return [
        (
            size + "rebuild from folders",
            "parse of catalog.json",
            rebuild / parse,
            "ms",
            rebuild * 1e3,
        ),
        (
            size + "open from catalog.json",
            "parse of catalog.json",
            opened / parse,
            "ms",
            opened * 1e3,
        ),
        (
            size + "write catalog.json",
            "parse of catalog.json",
            written / parse,
            "ms",
            written * 1e3,
        ),
        (size + "refresh, nothing new", "parse of catalog.json", quiet / parse, "us", quiet * 1e6),
        (size + "where, sorted", "TinyDB on a JSON file", query / tiny, "ms", query * 1e3),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also a store of 10,000 runs")
    full = parser.parse_args().full
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = rows_of_logging(folder) + rows_of_a_run(folder)
        for runs in (1_000, 10_000) if full else (1_000,):
            rows += rows_of_reading(folder, runs)
    print("| what | in terms of | ratio | CPU time |")
    print("|---|---|---:|---:|")
    for what, reference, ratio, unit, value in rows:
        print(f"| {what} | {reference} | {ratio:.3g} | {value:.3g} {unit} |")


if __name__ == "__main__":
    main()
