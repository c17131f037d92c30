"""Requests as no client should send them: a clear refusal, nothing read, nothing fetched."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from pytest_httpserver import HTTPServer
from running_app import Running
from schemathesis import Case, GenerationMode
from voice import RATE_HZ, speak

from ui import server, texts

MARKED = {"meta": {"_type": "gradio.FileData"}}
SECRETS = ("root:", "PATH=", "PYTHON")  # of /etc/passwd and /proc/self/environ


@pytest.fixture
def url(running: Running) -> str:
    return running.url


def ask(url: str, name: str, body: str) -> str:
    """Call an endpoint with a JSON text and return all it says."""
    headers = {"Content-Type": "application/json"}
    first = requests.post(f"{url}gradio_api/call/v2/{name}", data=body.encode(), headers=headers, timeout=20)
    if first.status_code != 200:
        assert 400 <= first.status_code < 500, first.text
        return first.text
    answer = requests.get(f"{url}gradio_api/call/{name}/{first.json()['event_id']}", timeout=20).text
    assert "Traceback" not in answer
    return answer


@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_the_description_allows_or_forbids_is_no_servers_error(
    url: str, mode: GenerationMode, examples: int
) -> None:
    text = requests.get(f"{url}gradio_api/openapi.json", timeout=20).text
    schema = schemathesis.openapi.from_dict(json.loads(text.replace('"type":"filepath"', '"type":"string"')))
    operations = [result.ok() for result in schema.exclude(path_regex="event_id").get_all_operations()]
    assert len(operations) >= 6
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def send(case: Case) -> None:
            response = case.call(base_url=url)
            assert response.status_code < 500, response.text
            if "/call/v2/" in case.path and response.status_code == 200:
                name = case.path.rsplit("/", 1)[1]
                answer = requests.get(f"{url}gradio_api/call/{name}/{response.json()['event_id']}", timeout=20).text
                assert answer.startswith(("event: complete", "event: error"))
                assert '"error": null' not in answer
                assert "Traceback" not in answer

        send()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{}", "No value provided for required argument: mood"),
        ('{"mood": "sad", "age": 3}', "Parameter `age` is not a valid"),
        ('{"mood": "sad", "lead": ["woman"]}', "lead must be woman, man or any"),
        ('{"mood": "sad", "sort": {"by": 1}}', "sort must be one of"),
        ('{"mood": "sad", "languages": "en"}', "languages must be a list"),
        ('{"mood": {}}', "unknown mood"),
        ('{"mood": "bored"}', "neutral, calm, happy, sad, angry, fearful, disgust, surprised"),
        ('{"mood": "sad", "intent": "sink"}', "match, lift"),
        ('{"mood": "sad", "genres": ["Soap"]}', "unknown genre 'Soap'"),
        ('{"mood": "sad", "from_year": 2020, "to_year": 2010}', "swap them"),
        ('{"mood": "sad", "genres": {"Drama": 1}}', "genres must be a list"),
        ('{"mood": "sad", "genres": [["Drama"]]}', "unknown genre"),
        ('{"mood": "sad", "min_rating": NaN}', "min_rating must be from 0 to 10"),
        ('{"mood": "sad", "min_rating": 1e999}', "min_rating must be from 0 to 10"),
        ('{"mood": "sad", "min_rating": true}', "min_rating must be from 0 to 10"),
        ('{"mood": "sad", "limit": 1' + 400 * "0" + "}", "limit must be a whole number"),
        ('{"mood": "sad", "from_year": -99999999999}', "from_year must be a whole number"),
        ('{"mood": "\\ud800"}', "unknown mood"),
        (json.dumps({"mood": "x" * 100_000}), "unknown mood"),
        ("[]", "valid dictionary"),
        ('{"mood"', "JSON decode error"),
    ],
)
def test_bad_input_is_one_short_sentence_that_says_what_can_be_used(url: str, body: str, sentence: str) -> None:
    answer = ask(url, "recommend", body)
    assert sentence in answer
    assert len(answer) < 700


@pytest.mark.parametrize("marked", [MARKED, {}], ids=["marked", "plain"])
@pytest.mark.parametrize(
    "place",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "/proc/self/environ",
        "file:///etc/passwd",
        "https://films.example/voice.wav",
        "http://127.0.0.1:{port}/voice.wav",
        "http://localhost:{port}/gradio_api/file=/etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "gopher://127.0.0.1/",
    ],
)
def test_neither_files_of_this_machine_nor_web_addresses_are_read(
    running: Running, httpserver: HTTPServer, place: str, marked: dict[str, Any]
) -> None:
    place = place.format(port=httpserver.port)  # where a server would answer
    before = running.strangers
    audio = {"path": place} | marked
    singles = [(name, {"audio": audio}) for name in ("recognize", "recommend_from_voice", "compare")]
    for name, body in [*singles, ("recognize_batch", {"files": [audio]}), ("learn_voice", {"clips": [audio]})]:
        answer = ask(running.url, name, json.dumps(body))
        assert answer.startswith("event: error")
        assert '"error": null' not in answer
        assert not any(secret in answer for secret in SECRETS)
        assert texts.WEB_ADDRESS in answer or not (marked and place.startswith("http"))
    assert running.strangers == before
    assert not httpserver.log


HOSTILE = (
    None,
    1e308,
    "x" * 10_000,
    [[]],
    {"path": "VOICE"} | MARKED,
    {"path": "VOICE"},
    {"path": "/etc/passwd"} | MARKED,
    {"path": "http://127.0.0.1:{port}/voice.wav"} | MARKED,
    {"url": "http://169.254.169.254/"},
)
PREDICTED = ("probabilit", "You sound", "adapted to your voice", "recognized", "data:image")


def listen(url: str, session: str) -> str:
    """Return what the queue says to a session until its event is over."""
    said, deadline = "", time.monotonic() + 20
    with requests.get(f"{url}gradio_api/queue/data?session_hash={session}", timeout=20, stream=True) as answer:
        for line in answer.iter_lines(decode_unicode=True):
            said += line
            if '"process_completed"' in line or '"close_stream"' in line or time.monotonic() > deadline:
                break
    return said


@pytest.mark.slow
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:30])
def test_the_pages_own_events_take_nothing_that_the_page_would_not_send(
    running: Running, httpserver: HTTPServer, tmp_path: Path, value: Any
) -> None:
    """Every event can be asked for by its number, the live stream too; no file is used that nobody uploaded."""
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    text = json.dumps(value).replace("{port}", str(httpserver.port)).replace("VOICE", str(tmp_path / "voice.wav"))
    config = requests.get(f"{running.url}config", timeout=20).json()
    for event in config["dependencies"]:
        session = f"stranger-{event['id']}"
        data = [json.loads(text)] * len(event["inputs"])
        body = {"fn_index": event["id"], "session_hash": session, "data": data}
        asked = requests.post(f"{running.url}gradio_api/queue/join", json=body, timeout=20)
        assert asked.status_code < 500, asked.text
        said = asked.text + (listen(running.url, session) if asked.status_code == 200 else "")
        assert not [secret for secret in (*SECRETS, *PREDICTED, "Traceback") if secret in said]
    assert not httpserver.log
    assert "event: complete" in ask(running.url, "recommend", '{"mood": "sad"}')


@pytest.mark.parametrize("kept", [0.5, 1.0])
def test_uploads_have_an_end(running: Running, kept: float) -> None:
    """Neither when the folder is full nor when one request would fill it."""
    place = running.folder / "tmp/mood-picks"
    place.mkdir(exist_ok=True)
    address = f"{running.url}gradio_api/upload"
    with (place / "much.wav").open("wb") as file:
        file.truncate(round(kept * server.MAX_TOTAL_BYTES))
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    large = {**headers, "Content-Length": str(round(0.6 * server.MAX_TOTAL_BYTES))}
    try:
        answer = requests.post(address, data=iter([b""]), headers=large, timeout=10)
        assert (answer.status_code, texts.NO_ROOM in answer.text) == (507, True)
    finally:
        (place / "much.wav").unlink()
    assert requests.post(address, files={"files": ("voice.wav", b"sound")}, timeout=10).status_code == 200
    unsaid = requests.post(address, data=iter([b"--x"]), headers=headers, timeout=10)
    assert (unsaid.status_code, unsaid.json()["detail"]) == (411, texts.NO_LENGTH)


@pytest.mark.parametrize("says_its_length", [True, False])
def test_a_request_that_is_no_upload_is_small(running: Running, says_its_length: bool) -> None:
    body = b'{"data": ["' + b"x" * server.MAX_BODY_BYTES + b'"]}'
    headers = {"Content-Type": "application/json"}
    for way in ("gradio_api/call/recommend", "gradio_api/queue/join", "gradio_api/mcp/"):
        sent = body if says_its_length else iter([body])
        answer = requests.post(running.url + way, data=sent, headers=headers, timeout=10)
        assert 400 <= answer.status_code < 500
        assert not says_its_length or answer.json()["detail"] == texts.TOO_LONG
    assert "event: complete" in ask(running.url, "recommend", '{"mood": "sad"}')


@pytest.mark.parametrize(
    "way",
    [
        "gradio_api/file=http://127.0.0.1:1/x",
        "gradio_api/file=https://films.example/x",
        "gradio_api/file=%20HTTPS://films.example/x",
        "gradio_api/file/https://films.example/x",
        "gradio_api/component_server",
        "gradio_api/proxy=https://films.example/x",
        "gradio_api/process_recording",
        "monitoring",
        "gradio_api/monitoring/summary",
    ],
)
def test_gradios_own_ways_out_are_closed(running: Running, way: str) -> None:
    before = running.strangers
    for method in ("GET", "POST", "HEAD"):
        assert requests.request(method, running.url + way, timeout=10).status_code == 403
    assert running.strangers == before


@pytest.mark.parametrize("name", ["monitoring.wav", "process_recording.wav", "proxy=.wav"])
def test_a_recording_may_be_called_anything(running: Running, name: str) -> None:
    files = {"files": (name, b"sound")}
    (place,) = requests.post(f"{running.url}gradio_api/upload", files=files, timeout=10).json()
    assert requests.get(f"{running.url}gradio_api/file={place}", timeout=10).content == b"sound"
