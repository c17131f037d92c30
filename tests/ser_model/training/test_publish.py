"""The model card and publishing, with the model hub replaced by a recorder; nothing leaves the machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from huggingface_hub import ModelCard
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from safetensors.torch import load_file

import train
from ser_model.cnn import load_network, read_config
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.training import publish
from ser_model.training.publish import collect_metrics, main_card, make_card, read_calibration

REPO = "somebody/emotion-cnn"


@pytest.fixture
def metrics(project: Path) -> Path:
    return project / "results/corpora/metrics.json"


def test_the_shipped_card_and_calibration_are_those_of_the_results(metrics: Path) -> None:
    expected = make_card(WEIGHTS, collect_metrics(metrics))
    assert (WEIGHTS / "README.md").read_text() == expected, "run python -m ser_model card"
    assert read_calibration(metrics).items() <= read_config(WEIGHTS).items(), "run python -m ser_model card"


def test_the_card_tells_size_limits_and_license() -> None:
    card = ModelCard.load(WEIGHTS / "README.md")
    assert card.data.license == "cc-by-nc-sa-4.0"
    parameters = load_network(WEIGHTS).count_parameters()
    assert parameters < 1_000_000
    text = " ".join(card.text.split())
    wanted = ("nine Polish actors", "CREMA-D | ODbL 1.0", "not a diagnosis", "trust_remote_code=True")
    for words in (f"{parameters:,} parameters", *wanted):
        assert words in text


def test_card_and_calibration_follow_the_results_and_leave_other_recipes_out(metrics: Path, tmp_path: Path) -> None:
    weights = shutil.copytree(WEIGHTS, tmp_path / "weights")
    changes: dict[str, dict[str, Any]] = {
        "corpora": {},
        "luna": {"uar": 0.4321},
        "random": {"model": "classic", "protocol": "random"},
        "loso": {"settings": {"epochs": 2}, "protocol": "loso"},
    }
    for name, change in changes.items():
        (tmp_path / "results" / name).mkdir(parents=True)
        published = metrics if name == "corpora" else metrics.parents[1] / "luna/metrics.json"
        text = json.dumps(json.loads(published.read_text()) | change)
        (tmp_path / "results" / name / "metrics.json").write_text(text)
    enrolled = {"enrolled_temperature": 2.5, "enrolled_abstention_threshold": 0.6}
    (tmp_path / "results/enrollment.json").write_text(json.dumps({"calibration": enrolled}))
    arguments = ["--weights", str(weights), "--metrics", str(tmp_path / "results/corpora/metrics.json")]
    assert main_card(arguments) == 0
    card = (weights / "README.md").read_text()
    assert "| 43.2 (" in card
    assert "speakers known" not in card
    assert "one left out" not in card
    assert EmotionRecognizer.load(weights).calibration.enrolled().temperature == 2.5
    assert read_config(weights) == read_config(WEIGHTS) | enrolled


class Recorder:
    """Stands in for HfApi and records what it is asked."""

    def __init__(self, fail: Exception | None = None) -> None:
        self.calls: list[str] = []
        self.files: dict[str, bytes] = {}
        self._fail = fail

    def create_repo(self, repo_id: str, exist_ok: bool) -> str:
        if self._fail:
            raise self._fail
        assert exist_ok
        self.calls.append(f"create {repo_id}")
        return f"https://hub.example/{repo_id}"

    def upload_folder(self, repo_id: str, folder_path: str, commit_message: str) -> None:
        assert commit_message
        self.calls.append(f"upload {repo_id}")
        self.files = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Recorder]:
    def replace(fail: Exception | None = None, token: str | None = "token") -> Recorder:
        recorder = Recorder(fail)
        monkeypatch.setattr(publish, "HfApi", lambda: recorder)
        monkeypatch.setattr(publish, "get_token", lambda: token)
        return recorder

    return replace


def refuse(status: int) -> HfHubHTTPError:
    request = httpx.Request("POST", "https://hub.example/api")
    return HfHubHTTPError("no", response=httpx.Response(status, request=request))


def test_weights_card_and_code_are_uploaded(
    hub: Callable[..., Recorder], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recorder = hub()
    assert train.main(["--push", REPO]) == 0
    assert capsys.readouterr().out.split() == [f"https://hub.example/{REPO}"]
    assert recorder.calls == [f"create {REPO}", f"upload {REPO}"]
    code = {name: text.decode() for name, text in recorder.files.items() if name.endswith(".py")}
    assert set(code) >= {"hub.py", "cnn.py", "frontend.py", "functionals.py", "labels.py"}
    assert not set(code) & {"batch.py", "recognize.py", "__main__.py"}
    assert not any("from ser_model" in text or "import ser_model" in text for text in code.values())
    assert recorder.files["README.md"] == (WEIGHTS / "README.md").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(recorder.files["model.safetensors"])
    sent, ours = load_file(tmp_path / "model.safetensors"), load_file(WEIGHTS / "model.safetensors")
    assert set(sent) == set(ours)
    assert all(torch.equal(sent[name], ours[name]) for name in ours)
    settings = json.loads(recorder.files["config.json"])
    assert settings["class_bias"] == read_config(WEIGHTS)["class_bias"]
    for place in settings["auto_map"].values():
        module, name = place.split(".")
        assert f"class {name}(" in code[f"{module}.py"]


def test_what_goes_wrong_is_one_sentence_with_its_remedy(
    hub: Callable[..., Recorder], capsys: pytest.CaptureFixture[str]
) -> None:
    remedies = {
        "hf auth login": refuse(401),
        "a repository of your own": refuse(403),
        "Try again later": refuse(500),
        "OWNER/NAME": HFValidationError("bad"),
        "Check the network": httpx.ReadTimeout("slow"),
    }
    for remedy, fail in [*remedies.items(), ("There is no token", None)]:
        recorder = hub(fail, token="token" if fail else None)
        assert train.main(["--push", REPO]) == 2
        assert remedy in capsys.readouterr().err.splitlines()[-1]
        assert not recorder.calls
