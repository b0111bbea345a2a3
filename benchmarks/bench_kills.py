"""Hundreds of ``kill -9`` of real writers on one store, then every promise of it is checked.

Two writers work at a time. Each is killed in a phase drawn by lot (start, log, blob, edit,
catalogue, finish) at a random moment of it; 20 more are killed while they log 20,000 points a
second. Ends with 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from promises import Promises, Victim

from trackbook.store import LocalStore

PHASES = ("start", "log", "blob", "edit", "catalogue", "finish")
BATCH = 25
_took: defaultdict[str, list[float]] = defaultdict(list)


def spawn(root: Path, kind: str, seed: str) -> subprocess.Popen[str]:
    script = str(Path(__file__).parent / "crash_writer.py")
    return subprocess.Popen(
        [sys.executable, script, str(root), kind, seed], stdout=subprocess.PIPE, text=True
    )


def kill(process: subprocess.Popen[str], victim: Victim, lines: list[str]) -> Victim:
    victim.failed = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    victim.killed = time.time()
    lines += process.communicate()[0].splitlines()
    marks = [line.split()[:2] for line in lines if line[:2] in ("> ", "< ")]
    victim.inside = not marks or marks[-1] == [">", victim.phase]
    victim.last = marks[-1][1] if marks else ""
    victim.hear(lines)
    return victim


def kill_in_a_phase(root: Path, seed: str) -> Victim:
    """Wait until the writer has come to the phase for the first, second or third time; strike."""
    dice = random.Random(seed)
    victim = Victim("mixed", dice.choice(PHASES), False, 0.0)
    rounds, lines = dice.randint(1, 3), []
    with spawn(root, "mixed", seed) as process:
        assert process.stdout
        for line in process.stdout:
            lines.append(line.rstrip())
            learn(lines)
            if line.startswith(f"> {victim.phase} "):
                rounds -= 1
                if not rounds:
                    break
        time.sleep(dice.uniform(0, 1.1) * usual(victim.phase))
        return kill(process, victim, lines)


def kill_a_fast_one(root: Path, seed: str) -> Victim:
    dice = random.Random(seed)
    victim = Victim("fast", "20,000 points/s", False, 0.0)
    with spawn(root, "fast", seed) as process:
        assert process.stdout
        lines = [process.stdout.readline().rstrip()]
        time.sleep(dice.uniform(1.2, 2.5))
        return kill(process, victim, lines)


def learn(lines: list[str]) -> None:
    """How long a phase takes on this machine, so that a strike falls into it."""
    if len(lines) > 1 and lines[-1].startswith("< "):
        began, ended = lines[-2].split(), lines[-1].split()
        if began[:2] == [">", ended[1]]:
            _took[ended[1]].append(float(ended[2]) - float(began[2]))


def usual(phase: str) -> float:
    return statistics.median(_took[phase]) if _took[phase] else 0.01


def storm(root: Path, kills: int, fast: int, seed: int) -> tuple[list[Victim], Promises]:
    """All kills, in batches after which the whole store is looked at."""
    warm, promises, victims = LocalStore(root), Promises(root), []
    jobs = [(kill_in_a_phase, f"{seed}-{i}") for i in range(kills)]
    jobs += [(kill_a_fast_one, f"{seed}-fast{i}") for i in range(fast)]
    random.Random(seed).shuffle(jobs)
    with ThreadPoolExecutor(2) as pool:
        for i in range(0, len(jobs), BATCH):
            futures = [pool.submit(job, root, name) for job, name in jobs[i : i + BATCH]]
            while not all(future.done() for future in futures):
                warm.find()  # a panel that is open all the time
                time.sleep(0.1)
            batch = [future.result() for future in futures]
            documents = promises.of_the_store(warm)
            for victim in batch:
                promises.of(victim, documents)
            victims += batch
            print(f"{len(victims)} kills, {len(documents)} runs", file=sys.stderr)
    return victims, promises


def report(victims: list[Victim], promises: Promises) -> str:
    lines = ["| killed during | kills | before its end |", "|---|--:|--:|"]
    for phase in (*PHASES, "20,000 points/s"):
        struck = [victim for victim in victims if victim.phase == phase]
        lines.append(f"| {phase} | {len(struck)} | {sum(v.inside for v in struck)} |")
    lines += ["", "| promise | checked | broken |", "|---|--:|--:|"]
    for promise, count in sorted(promises.checked.items()):
        example = promises.examples.get(promise, "")
        lines.append(f"| {promise} | {count:,} | {promises.broken[promise]} {example} |")
    if promises.losses:
        points = [lost for lost, _ in promises.losses]
        back = [seconds for _, seconds in promises.losses]
        lines += [
            "",
            f"At 20,000 points/s a kill lost {statistics.median(points):,.0f} points in the median "
            f"and {max(points):,} at most, none older than {max(back):.2f} s.",
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="kills in a phase (200)")
    parser.add_argument("--fast", type=int, default=20, help="kills at 20,000 points a second (20)")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="make the store in this folder and leave it")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        victims, promises = storm(place / "store", options.kills, options.fast, options.seed)
    print(report(victims, promises))
    print(f"\n{len(victims)} kills in {time.monotonic() - began:.0f} s, seed {options.seed}")
    sys.exit(bool(promises.broken.total()))


if __name__ == "__main__":
    main()
