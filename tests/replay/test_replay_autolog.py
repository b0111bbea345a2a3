"""The first cell loads Trackbook, imports and turns autolog on: a replay has all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernels import kernel

from trackbook.reading import open_store

CELLS = (
    "%load_ext trackbook\nimport trackbook as tb\nimport numpy as np\ntb.autolog()",
    "from sklearn.ensemble import RandomForestClassifier\n"
    "from sklearn.metrics import accuracy_score\n"
    "from sklearn.model_selection import train_test_split",
    "X = np.random.rand(200, 4)\ny = X[:, 0] + np.random.rand(200) > 1\n"
    "X_train, X_test, y_train, y_test = train_test_split(X, y)",
    "scale = 2.0",
    "X_train = X_train * scale",
    "X_train = X_train * scale",
    "%%track forest\nn_estimators = 10\n"
    "model = RandomForestClassifier(n_estimators=n_estimators).fit(X_train, y_train)\n"
    "acc = accuracy_score(y_test, model.predict(X_test))",
)


def test_an_unseeded_forest_of_a_messy_session_is_reproduced(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
        with kernel(tmp_path) as one:
            for cell in CELLS:
                one.run(cell)
    run = open_store(tmp_path / ".trackbook").get_run("forest")
    verdict = run.replay()
    assert verdict.status == "reproduced", verdict
    assert "test_accuracy_score" in verdict.text
    assert len(run.recipe().cells) == len(CELLS)
