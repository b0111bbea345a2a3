"""``make demo``: run a copy of the tutorial in a real kernel, list its runs, open it in JupyterLab.

Everything happens in ``.cache/demo``, which git ignores: the copy of the notebook, its store, and
the JupyterLab workspace in which our panel is the open one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "notebooks" / "quickstart.ipynb"
DEMO = ROOT / ".cache" / "demo"
BIN = Path(sys.executable).parent
WORKSPACE = {
    "data": {
        "layout-restorer:data": {
            "main": None,
            "down": {"size": 0, "widgets": []},
            "left": {
                "collapsed": False,
                "visible": True,
                "current": "trackbook-panel",
                "widgets": ["filebrowser", "trackbook-panel"],
            },
            "right": {"collapsed": True, "visible": True, "widgets": []},
            "relativeSizes": [0.24, 0.76, 0],
            "top": {"simpleVisibility": True},
        }
    },
    "metadata": {"id": "default"},
}


def main() -> int:
    """The exit code: 1 where a cell of the notebook failed."""
    os.environ["TRACKBOOK_STORE"] = str(DEMO / ".trackbook")
    os.environ["JUPYTERLAB_WORKSPACES_DIR"] = str(DEMO / ".workspaces")
    notebook = fresh_copy()
    if not execute(notebook):
        return 1
    subprocess.run([BIN / "trackbook", "runs"], cwd=DEMO, check=True)
    if "--no-open" not in sys.argv[1:]:
        open_lab(notebook)
    return 0


def fresh_copy() -> Path:
    """The tutorial in the demo folder; one that a person changed there is kept beside it."""
    DEMO.mkdir(parents=True, exist_ok=True)
    copy = DEMO / TUTORIAL.name
    if copy.exists() and sources(copy) != sources(TUTORIAL):
        copy.rename(copy.with_stem(f"{copy.stem}-{time.strftime('%Y%m%d-%H%M%S')}"))
    shutil.copyfile(TUTORIAL, copy)
    return copy


def sources(notebook: Path) -> list[str]:
    """The text of the cells."""
    return [cell.source for cell in nbformat.read(notebook, as_version=4).cells]


def execute(notebook: Path) -> bool:
    """Run all cells in a real kernel and keep the outputs; False where a cell failed."""
    print(f"Running {notebook.relative_to(ROOT)} in a real kernel ...", flush=True)
    document = nbformat.read(notebook, as_version=4)
    # JPY_SESSION_NAME is how Jupyter's server tells a kernel its notebook.
    os.environ["JPY_SESSION_NAME"] = str(notebook)
    client = NotebookClient(
        document,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(DEMO)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        return False
    finally:
        del os.environ["JPY_SESSION_NAME"]
        nbformat.write(document, notebook)
    return True


def open_lab(notebook: Path) -> NoReturn:
    """JupyterLab on the notebook with the panel open, until Ctrl-C."""
    workspaces = DEMO / ".workspaces"
    workspaces.mkdir(exist_ok=True)
    description = workspaces / "panel.json"
    description.write_text(json.dumps(WORKSPACE), encoding="utf-8")
    lab = BIN / "jupyter-lab"
    importing = [lab, "workspaces", "import", description]
    subprocess.run(importing, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    root = ["--allow-root"] if os.geteuid() == 0 else []
    print("Opening JupyterLab; stop it with Ctrl-C.", flush=True)
    arguments = [
        *root,
        f"--ServerApp.root_dir={DEMO}",
        f"--LabApp.default_url=/lab/tree/{notebook.name}",
    ]
    # In the place of this process, so that Ctrl-C means JupyterLab alone.
    os.execv(lab, [str(lab), *arguments])


if __name__ == "__main__":
    sys.exit(main())
