"""Publishing with the model hub replaced by a recorder; nothing leaves the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from voice import speak

import train
from ser_model.calibrate import Calibration, softmax
from ser_model.cnn import load_network, read_config
from ser_model.labels import EMOTIONS
from ser_model.recognize import WEIGHTS
from ser_model.training import publish

REPO = "somebody/emotion-cnn"


class Recorder:
    """Stands for HfApi and keeps what it is asked."""

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


def test_weights_card_and_code_go_up(hub: Callable[..., Recorder], capsys: pytest.CaptureFixture[str]) -> None:
    recorder = hub()
    assert train.main(["--push", REPO]) == 0
    assert capsys.readouterr().out.split() == [f"https://hub.example/{REPO}"]
    assert recorder.calls == [f"create {REPO}", f"upload {REPO}"]
    wanted = {"config.json", "model.safetensors", "preprocessor_config.json", "README.md", "hub.py", "cnn.py"}
    assert wanted <= set(recorder.files)
    assert {Path(name).suffix for name in recorder.files} == {".json", ".safetensors", ".md", ".py"}
    assert recorder.files["model.safetensors"] == (WEIGHTS / "model.safetensors").read_bytes()
    assert recorder.files["README.md"] == (WEIGHTS / "README.md").read_bytes()


def test_the_settings_name_classes_that_the_code_has(hub: Callable[..., Recorder]) -> None:
    recorder = hub()
    publish.push_weights(WEIGHTS, REPO)
    for name in ("config.json", "preprocessor_config.json"):
        settings = json.loads(recorder.files[name])
        assert json.loads((WEIGHTS / name).read_text()).items() <= settings.items()
        for place in settings["auto_map"].values():
            module, one = place.split(".")
            assert f"class {one}(" in recorder.files[f"{module}.py"].decode()
    code = b"\n".join(text for name, text in recorder.files.items() if name.endswith(".py"))
    assert b"from ser_model" not in code
    assert b"import ser_model" not in code.replace(b"import ser_model.hub", b"")


@pytest.mark.parametrize(
    ("fail", "token", "remedy"),
    [
        (None, None, "hf auth login"),
        (refuse(401), "token", "hf auth login"),
        (refuse(403), "token", "a repository of your own"),
        (refuse(500), "token", "Try again later"),
        (HFValidationError("bad"), "token", "OWNER/NAME"),
        (httpx.ConnectError("no route"), "token", "Check the network"),
        (httpx.ReadTimeout("slow"), "token", "Check the network"),
    ],
)
def test_what_goes_wrong_is_one_sentence_with_its_remedy(
    fail: Exception | None,
    token: str | None,
    remedy: str,
    hub: Callable[..., Recorder],
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = hub(fail, token)
    assert train.main(["--push", REPO]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert remedy in line
    assert not recorder.calls


def test_damaged_weights_are_not_published(
    hub: Callable[..., Recorder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = hub()
    assert train.main(["--push", REPO, "--out", str(tmp_path)]) == 2
    assert "missing or damaged" in capsys.readouterr().err
    assert not recorder.calls


@pytest.mark.parametrize("options", [["--protocol", "luna"], ["--data", "DIR", "--push", REPO]])
def test_pushing_and_measuring_do_not_mix(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(options)
    assert "--data" in capsys.readouterr().err


@pytest.mark.slow
def test_the_published_folder_opens_where_the_project_is_not(tmp_path: Path) -> None:
    place, elsewhere = tmp_path / "repo", tmp_path / "elsewhere"
    place.mkdir()
    elsewhere.mkdir()
    publish.stage_weights(WEIGHTS, place)
    voice = speak()
    np.save(elsewhere / "voice.npy", voice)
    code = (
        "import json, numpy as np; from transformers import pipeline; "
        f"listen = pipeline('audio-classification', model={str(place)!r}, trust_remote_code=True, top_k=None); "
        "print(json.dumps(listen(np.load('voice.npy'))))"
    )
    environment = os.environ | {"HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    got: dict[str, Any] = {row["label"]: row["score"] for row in json.loads(done.stdout.splitlines()[-1])}
    logits = load_network(WEIGHTS)(torch.from_numpy(voice)[None]).emotion[0].detach().numpy()
    calibration = Calibration.from_config(read_config(WEIGHTS))
    wanted = softmax(calibration.level(logits), calibration.temperature)
    assert [got[emotion] for emotion in EMOTIONS] == pytest.approx(wanted.tolist(), abs=1e-4)
