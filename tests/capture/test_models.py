"""Models keep their predictions, in formats that run no code; what runs code is asked for."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost
import zstandard
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import trackbook as tb
from trackbook.capture import session as sessions
from trackbook.errors import InvalidValue, StoreError
from trackbook.store import open_store

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 5))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
WORDS = [f"word{i % 7} and word{i % 3}" for i in range(120)]
FRAME = pd.DataFrame({"n": X[:, 0], "c": [f"k{i % 3}" for i in range(120)]})


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    sessions.reset()
    yield tmp_path
    sessions.current.close_all()
    sessions.reset()


def logged(model: Any, name: str = "model", **options: Any) -> tb.reading.Run:  # type: ignore[name-defined]
    with tb.start_run() as run:
        tb.log_model(model, name, **options)
    return tb.get_run(run.id)


def frames() -> ColumnTransformer:
    return ColumnTransformer([("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(), ["c"])])


ESTIMATORS = {
    "forest": (lambda: RandomForestClassifier(20, random_state=0), X),
    "pipeline": (lambda: make_pipeline(StandardScaler(), SVC()), X),
    "text": (lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()), WORDS),
    "frame": (lambda: make_pipeline(frames(), LogisticRegression()), FRAME),
    "search": (lambda: GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2), X),
    "boosting": (lambda: HistGradientBoostingRegressor(max_iter=10), X),
}


@pytest.mark.parametrize("which", ESTIMATORS)
def test_estimators_come_back_with_equal_predictions(which: str) -> None:
    make, data = ESTIMATORS[which]
    model = make().fit(data, Y)
    run = logged(model)
    entry = run.artifacts["model.skops"]
    assert (entry.kind, entry.format, entry.library) == ("model", "skops", "scikit-learn")
    assert entry["class"].endswith("." + type(model).__name__) and entry.version
    loaded = run.load_model()
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict(data), model.predict(data))


BOOSTERS = {
    "classifier": lambda: xgboost.XGBClassifier(n_estimators=8, max_depth=3),
    "three classes": lambda: xgboost.XGBClassifier(n_estimators=8),
    "regressor": lambda: xgboost.XGBRegressor(n_estimators=8),
    "early": lambda: xgboost.XGBClassifier(n_estimators=50, early_stopping_rounds=2),
}


@pytest.mark.parametrize("which", BOOSTERS)
def test_xgboost_comes_back_whole(which: str) -> None:
    target = Y + (X[:, 2] > 1) if which == "three classes" else Y
    more = {"eval_set": [(X[:40], target[:40])], "verbose": False} if which == "early" else {}
    model = BOOSTERS[which]().fit(X, target, **more)
    run = logged(model, "trees")
    assert run.artifacts["trees.ubj"].library.startswith("xgboost")
    loaded = run.load_model("trees")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_booster_of_xgboost_stays_a_booster() -> None:
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), num_boost_round=4)
    loaded = logged(booster).load_model()
    assert type(loaded) is xgboost.Booster
    data = xgboost.DMatrix(X)
    np.testing.assert_array_equal(loaded.predict(data), booster.predict(data))


def test_lightgbm_comes_back_as_its_booster() -> None:
    model = lightgbm.LGBMClassifier(n_estimators=8, verbose=-1).fit(X, Y)
    run = logged(model)
    assert run.artifacts["model.txt"].format == "lightgbm"
    loaded = run.load_model()
    np.testing.assert_allclose(loaded.predict(X), model.predict_proba(X)[:, 1], rtol=1e-12)
    again = logged(model.booster_).load_model()
    np.testing.assert_array_equal(again.predict(X), model.booster_.predict(X))


class Net(torch.nn.Module):
    """Two layers that share a weight, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(5, 5)
        self.norm = torch.nn.BatchNorm1d(5)
        self.second = torch.nn.Linear(5, 5)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.norm(self.first(x)))


@pytest.mark.parametrize("form", ["safetensors", "torch"])
@pytest.mark.parametrize("what", ["module", "state"])
def test_torch_modules_come_back_as_state_or_into_a_module(form: str, what: str) -> None:
    data = torch.tensor(X, dtype=torch.float32)
    model = Net()
    model(data)
    model.eval()
    run = logged(model if what == "module" else model.state_dict(), format=form)
    (entry,) = run.artifacts.values()
    assert (entry.format, entry.library) == (form, "torch")
    if what == "module":
        assert entry.n_parameters == sum(p.numel() for p in model.parameters())
        assert entry["class"].endswith("Net")
    state = run.load_model()
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    other = run.load_model(into=Net()).eval()
    assert torch.equal(other(data), model(data))
    with pytest.raises(InvalidValue, match="does not fit"):
        run.load_model(into=torch.nn.Linear(5, 5))
    with pytest.raises(InvalidValue, match="torch module"):
        run.load_model(into="a string")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int64, torch.bool])
def test_every_type_of_tensor_comes_back(dtype: torch.dtype) -> None:
    state = {"a": torch.ones(3, 4).to(dtype), "part": torch.arange(10)[::3], "empty": torch.ones(0)}
    back = logged(state).load_model()
    assert all(
        torch.equal(back[key], value) and back[key].dtype == value.dtype
        for key, value in state.items()
    )


def test_a_state_with_more_than_plain_tensors_is_kept_by_torch() -> None:
    sparse = torch.eye(3).to_sparse()
    run = logged({"s": sparse, "d": torch.ones(2)})
    assert list(run.artifacts) == ["model.pt"]
    assert torch.equal(run.load_model()["s"].to_dense(), torch.eye(3))


class Own(ClassifierMixin, BaseEstimator):
    """An estimator of the user's."""

    def fit(self, data: Any, y: Any) -> Own:
        self.classes_ = np.unique(y)
        return self

    def predict(self, data: Any) -> Any:
        return np.full(len(data), self.classes_[0])


def test_types_of_ones_own_are_asked_about_by_name() -> None:
    run = logged(Own().fit(X, Y))
    with pytest.raises(
        StoreError, match=r"types that skops does not know to be safe: .*\.Own"
    ) as told:
        run.load_model()
    name = f"{Own.__module__}.Own"
    assert f"trust=['{name}']" in str(told.value)
    for trust in (True, [name]):
        assert isinstance(run.load_model(trust=trust), Own)
    with pytest.raises(StoreError, match="does not know"):
        run.load_model(trust=["another.Type"])


def test_what_has_no_safe_format_says_how_it_can_be_kept() -> None:
    with tb.start_run() as run:
        for model in ({"a": 1}, lambda x: x, object(), "text", None, 3):
            with pytest.raises(InvalidValue, match="format='pickle'"):
                tb.log_model(model)
        with pytest.raises(InvalidValue, match="there is no format 'onnx'"):
            tb.log_model(Net(), format="onnx")
        with pytest.raises(InvalidValue, match="cannot be kept as xgboost"):
            tb.log_model(Net(), format="xgboost")
        with pytest.raises(InvalidValue, match="not fitted"):
            tb.log_model(xgboost.XGBClassifier())
        with pytest.raises(InvalidValue, match="not fitted"):
            tb.log_model(lightgbm.LGBMClassifier())
        with pytest.raises(InvalidValue, match=r"has \.\. in it"):
            tb.log_model(Net(), "../model")
    assert tb.get_run(run.id).artifacts == {}


def test_a_pickle_is_kept_and_loaded_only_when_asked() -> None:
    run = logged({"lookup": {1, 2}}, "table", format="pickle")
    with pytest.raises(StoreError, match="trust=True") as told:
        run.load_model("table")
    assert "runs whatever code" in str(told.value)
    assert run.load_model("table", trust=True) == {"lookup": {1, 2}}
    with pytest.raises(StoreError, match="trust=True"):
        run.load_model("table", trust=["builtins.set"])


def test_what_cannot_be_pickled_changes_nothing() -> None:
    with tb.start_run() as run, pytest.raises(InvalidValue, match="cannot be pickled"):
        tb.log_model((i for i in range(3)), format="pickle")
    assert tb.get_run(run.id).artifacts == {}


def test_the_last_model_of_a_name_is_loaded_and_names_are_found() -> None:
    with tb.start_run() as run:
        tb.log_model({"w": torch.zeros(1)}, "best")
        tb.log_model({"w": torch.ones(1)}, "best")
        tb.log_model({"w": torch.full((1,), 2.0)}, "deep/last.v2")
        tb.log_text("not a model", "notes.txt")
    read = tb.get_run(run.id)
    assert read.load_model("best")["w"].item() == 1
    assert read.load_model("best.safetensors")["w"].item() == 1
    assert read.load_model("deep/last.v2")["w"].item() == 2
    with pytest.raises(StoreError, match=r"it has best\.safetensors"):
        read.load_model("notes.txt")
    with tb.start_run() as empty:
        pass
    with pytest.raises(StoreError, match="log_model keeps one"):
        tb.get_run(empty.id).load_model()


# -- a store from anywhere -------------------------------------------------------------------------


class Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.marker, "it ran")


def planted(content: bytes, **line: Any) -> tb.reading.Run:  # type: ignore[name-defined]
    """A run whose line and model somebody else wrote."""
    with tb.start_run() as run:
        blob = run._blobs.put(content)
        facts = {"name": "model.x", "kind": "model", "size": len(content), "blob": blob}
        run._writer.append("artifacts", {**facts, **line})
    return tb.get_run(run.id)


FORMATS = ["skops", "torch", "safetensors", "xgboost", "lightgbm", "pickle", "unknown", None, 3]


@pytest.mark.parametrize("form", FORMATS)
def test_a_pickle_under_any_name_runs_nothing(form: Any, script: Path) -> None:
    marker = script / "ran"
    run = planted(pickle.dumps(Bomb(marker)), format=form, loader="os.system")
    with pytest.raises(StoreError):
        run.load_model()
    assert not marker.exists()
    pickle.loads(pickle.dumps(Bomb(marker)))
    assert marker.exists()  # so it would have run


def test_a_torch_file_with_code_in_it_runs_nothing(script: Path) -> None:
    marker = script / "ran"
    torch.save({"w": Bomb(marker)}, script / "evil.pt")
    run = planted((script / "evil.pt").read_bytes(), format="torch")
    with pytest.raises(StoreError, match="cannot be loaded"):
        run.load_model()
    with pytest.raises(StoreError, match="cannot be loaded"):
        run.load_model(trust=True)  # tensors are all there is to trust in this format
    assert not marker.exists()


@pytest.mark.parametrize("form", ["skops", "torch"])
def test_an_archive_that_unpacks_without_end_is_not_unpacked(form: str, script: Path) -> None:
    with zipfile.ZipFile(script / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("schema.json", "archive/data.pkl"):
            with archive.open(name, "w", force_zip64=True) as entry:
                for _ in range(100):
                    entry.write(b"\0" * (1 << 20))
    run = planted((script / "bomb.zip").read_bytes(), format=form)
    with pytest.raises(StoreError, match="unpack"):
        run.load_model()


@pytest.mark.parametrize("form", ["skops", "torch", "safetensors", "xgboost", "lightgbm", "pickle"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04" + b"\0" * 50, b"{" * 200])
def test_what_is_no_model_is_one_error(form: str, content: bytes) -> None:
    run = planted(content, format=form, library="lib", version="1")
    with pytest.raises(StoreError, match=r"cannot be loaded \(kept with lib 1\)"):
        run.load_model(trust=True)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_booster_from_elsewhere_is_asked_about(
    name: str, monkeypatch: pytest.MonkeyPatch, script: Path
) -> None:
    # Both libraries end the process, or worse, over one changed byte.
    make = {"xgboost": xgboost.XGBRegressor, "lightgbm": lightgbm.LGBMRegressor}[name]
    run = logged(make(n_estimators=2).fit(X, Y))
    (line,) = run.artifacts.values()
    assert run.load_model() is not None
    content = run.artifact(line.name).read_bytes()
    for other in ({}, {"signature": "0" * 64}, {"signature": line.signature}, {"signature": "ü"}):
        changed = content.replace(b"0", b"1", 1)
        foreign = planted(changed, format=name, **other)
        with pytest.raises(StoreError, match="trust=True"):
            foreign.load_model()
    assert planted(content, format=name, signature=line.signature).load_model() is not None
    monkeypatch.setenv("XDG_DATA_HOME", str(script / "another user"))
    with pytest.raises(StoreError, match="not kept by you"):
        run.load_model()
    assert run.load_model(trust=True) is not None


def test_a_blob_that_was_exchanged_is_not_loaded(script: Path) -> None:
    run = logged({"w": torch.ones(3)})
    blob = open_store().records(run.id, "artifacts")[-1]["blob"]
    (file,) = (script / ".trackbook" / "blobs").rglob(f"{blob}*")
    file.write_bytes(b"\0" * 1000 if file.suffix != ".zst" else zstandard.compress(b"\0" * 100))
    with pytest.raises(StoreError, match=r"damaged|more than"):
        run.load_model()


@pytest.mark.parametrize("blob", ["../../../etc/passwd", "b3-" + "0" * 64, "", None, 3, "b3-../x"])
def test_a_line_that_names_no_blob_leads_nowhere(blob: Any) -> None:
    run = planted(b"x", format="torch", blob=blob)
    for read in (run.load_model, lambda: run.artifact("model.x")):
        with pytest.raises(StoreError):
            read()
