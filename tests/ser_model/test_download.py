"""The files of an encoder: on the machine, or from a Hub that a local server stands for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from ser_model.download import DownloadError, Progress, can_download, download, find_files

NAME = "somebody/encoder"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG, EXTRACTOR, WEIGHTS, OLD_WEIGHTS = (
    "config.json", "preprocessor_config.json", "model.safetensors", "pytorch_model.bin"
)  # fmt: skip
MB_32 = bytes(32_000_000)  # more than the Hub's client reads at a time


@pytest.fixture(autouse=True)
def hub(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub is the local server, and its cache an empty folder."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", httpserver.url_for("").rstrip("/"))
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", httpserver.url_for("") + TEMPLATE)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


TEMPLATE = "{repo_id}/resolve/{revision}/{filename}"


def serve(httpserver: HTTPServer, **files: bytes) -> None:
    """Serve the files of the encoder; any other has its 404."""
    names = {"config": CONFIG, "extractor": EXTRACTOR, "weights": WEIGHTS, "old_weights": OLD_WEIGHTS}
    for key, name in names.items():
        for path in (f"/{NAME}/resolve/main/{name}", f"/{NAME}/resolve/{COMMIT}/{name}"):
            if key in files:
                headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(files[key]).hexdigest()}"'}
                httpserver.expect_request(path).respond_with_data(files[key], headers=headers)
            else:
                gone = {"X-Repo-Commit": COMMIT, "X-Error-Code": "EntryNotFound"}
                httpserver.expect_request(path).respond_with_data(b"", 404, headers=gone)


class Watched(Progress):
    """Keeps everything that it was told."""

    def __setattr__(self, name: str, value: object) -> None:
        vars(self).setdefault("told", []).append(value)
        super().__setattr__(name, value)


def test_it_downloads_what_is_needed_and_tells_how_far_it_is(httpserver: HTTPServer) -> None:
    serve(httpserver, config=b"{}", extractor=b"{}", weights=MB_32)
    assert find_files(NAME) is None
    assert not httpserver.log  # nobody asked the Hub
    progress = Watched()
    folder = download(NAME, progress)
    assert {path.name for path in folder.iterdir()} == {CONFIG, EXTRACTOR, WEIGHTS}
    told = [bytes_ for bytes_ in vars(progress)["told"] if bytes_]
    assert told[-1] == (len(MB_32), len(MB_32))
    assert told == sorted(told)
    assert len(told) > 2
    assert progress.bytes is None
    asked = len(httpserver.log)
    assert find_files(NAME) == folder
    assert len(httpserver.log) == asked


def test_an_encoder_without_safetensors_comes_with_its_old_weights(httpserver: HTTPServer) -> None:
    serve(httpserver, config=b"{}", extractor=b"{}", old_weights=b"old")
    assert {path.name for path in download(NAME).iterdir()} == {CONFIG, EXTRACTOR, OLD_WEIGHTS}
    assert find_files(NAME) is not None


def test_what_cannot_be_downloaded_is_one_sentence_at_once(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(httpserver)
    progress = Progress()
    with pytest.raises(DownloadError, match=r"^The encoder somebody/encoder .* hf download somebody/encoder$"):
        download(NAME, progress)
    assert progress.bytes is None
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/" + TEMPLATE)
    with pytest.raises(DownloadError):
        download(NAME)
    with pytest.raises(DownloadError):
        download("/no/such/folder")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert not can_download()
    asked = len(httpserver.log)
    with pytest.raises(DownloadError):
        download(NAME)
    assert len(httpserver.log) == asked


def test_a_folder_is_its_own_place(tmp_path: Path) -> None:
    assert find_files(str(tmp_path)) == tmp_path
    assert find_files(str(tmp_path / "nothing")) is None
    assert can_download()
