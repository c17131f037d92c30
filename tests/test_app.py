"""The running app as a client sees it: endpoints, MCP tools, and plain errors."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import requests
import soundfile as sf
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from saved_page import write_search_page
from voice import RATE_HZ, speak

import app
from scraper.notice import SourceKind
from ser_model.comparison import SecondOpinion
from ui import service, texts

FILM = {
    "imdb_id", "title", "year", "genres", "rating", "votes", "runtime_min", "language", "tone", "certificate",
    "url", "poster_url", "why",
}  # fmt: skip
RECOGNITION = {
    "emotion", "sure", "measured_accuracy", "probabilities", "gender", "gender_probability",
    "intensity", "intensity_probability", "speech", "timeline", "notice"
}  # fmt: skip
TOOLS = {"compare", "learn_voice", "recognize", "recognize_batch", "recommend", "recommend_from_voice"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDB_LIVE", "off")
        patch.setenv("MOOD_HOME", str(tmp_path_factory.mktemp("home")))
        service.recommender.reload()
        _, address, _ = app.demo.launch(**app.LAUNCH, prevent_thread_lock=True, quiet=True)
        yield address
        app.demo.close()


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture
def noise(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "noise.wav"
    sf.write(path, 0.05 * rng.standard_normal(32_000), 16_000)
    return path


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    path = tmp_path / "voice.wav"
    sf.write(path, speak(), RATE_HZ)
    return path


def test_these_endpoints_and_no_other(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)
    assert set(api["named_endpoints"]) == {f"/{name}" for name in TOOLS}
    assert not api["unnamed_endpoints"]


def test_parameters_have_names_and_defaults(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/recommend"]
    defaults = {p["parameter_name"]: p["parameter_default"] for p in api["parameters"]}
    assert defaults["intent"] == "match"
    assert defaults["sort"] == "best"
    assert set(defaults) >= {"genres", "not_genres", "from_year", "to_year", "min_rating", "min_votes", "languages"}


def test_answers_are_described_with_types_and_keep_to_them(client: Client, url: str, voice: Path) -> None:
    endpoints = requests.get(f"{url}gradio_api/info", timeout=10).json()["named_endpoints"]
    film = endpoints["/recommend"]["returns"][0]["type"]["properties"]["films"]["items"]
    assert set(film["required"]) == FILM
    source = endpoints["/recommend"]["returns"][0]["type"]["properties"]["source"]["properties"]
    assert set(source["kind"]["enum"]) == set(SourceKind)
    answers = {
        "recognize": client.predict(handle_file(str(voice)), api_name="/recognize"),
        "recommend": client.predict(mood="sad", api_name="/recommend"),
        "recommend_from_voice": client.predict(handle_file(str(voice)), api_name="/recommend_from_voice"),
        "compare": client.predict(handle_file(str(voice)), api_name="/compare"),
        "recognize_batch": client.predict([handle_file(str(voice))], api_name="/recognize_batch"),
        "learn_voice": client.predict([handle_file(str(voice))], api_name="/learn_voice"),
    }
    assert set(answers) == TOOLS
    assert set(answers["recognize"]) == RECOGNITION
    assert sum(answers["recognize"]["probabilities"].values()) == pytest.approx(1, abs=0.01)
    for name, answer in answers.items():
        jsonschema.validate(answer, endpoints[f"/{name}"]["returns"][0]["type"])


def test_the_same_are_mcp_tools_with_described_parameters(url: str) -> None:
    tools = {tool["name"]: tool for tool in requests.get(f"{url}gradio_api/mcp/schema", timeout=10).json()}
    assert set(tools) == TOOLS
    for tool in tools.values():
        for name, schema in tool["inputSchema"]["properties"].items():
            assert schema.get("description"), f"{tool['name']}: {name}"


def ask_mcp(url: str, method: str, *given: Any) -> Any:
    async def ask() -> Any:
        async with (
            streamablehttp_client(f"{url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await getattr(session, method)(*given)

    return asyncio.run(ask())


def call_tool(url: str, name: str, **given: Any) -> tuple[bool, str]:
    """Call an MCP tool; return whether it failed, and what it said."""
    answer = ask_mcp(url, "call_tool", name, given)
    return answer.isError, " ".join(part.text for part in answer.content)


def test_over_mcp_answers_are_json_that_keeps_to_its_schema(url: str, voice: Path) -> None:
    audio = "data:audio/wav;base64," + base64.b64encode(voice.read_bytes()).decode()
    given: dict[str, dict[str, Any]] = {
        name: {"audio": audio} for name in ("recognize", "recommend_from_voice", "compare")
    }
    given |= {"recommend": {"mood": "sad", "limit": 3}, "recognize_batch": {"files": [audio]}}
    given |= {"learn_voice": {"clips": [audio, audio], "emotions": ["neutral", "sad"]}}
    schemas = {tool.name: tool.outputSchema for tool in ask_mcp(url, "list_tools").tools}
    assert set(schemas) == set(given) == TOOLS
    for name, arguments in given.items():
        answer = ask_mcp(url, "call_tool", name, arguments)
        assert not answer.isError, answer.content
        assert json.loads(answer.content[0].text) == answer.structuredContent
        jsonschema.validate(answer.structuredContent, schemas[name])


def test_every_parameter_is_described_on_the_page_about_the_api(url: str) -> None:
    endpoints = requests.get(f"{url}gradio_api/info", timeout=10).json()["named_endpoints"]
    for name, endpoint in endpoints.items():
        for parameter in endpoint["parameters"]:
            assert parameter["label"] == parameter["parameter_name"]
            assert parameter["python_type"]["description"].endswith("."), f"{name}: {parameter['label']}"


def test_over_mcp_a_mistake_is_a_sentence_too(url: str) -> None:
    failed, text = call_tool(url, "recommend", mood="bored")
    assert failed
    assert "'bored' is not one of ['neutral', 'calm'," in text
    assert "Traceback" not in text


@pytest.mark.parametrize("given", ["data", "upload"])
def test_over_mcp_a_recording_is_a_data_url_or_the_address_of_an_upload(url: str, voice: Path, given: str) -> None:
    audio = "data:audio/wav;base64," + base64.b64encode(voice.read_bytes()).decode()
    if given == "upload":
        files = {"files": voice.open("rb")}
        audio = f"{url}gradio_api/file=" + requests.post(f"{url}gradio_api/upload", files=files, timeout=10).json()[0]
    failed, text = call_tool(url, "recognize", audio=audio)
    assert not failed, text
    assert "probabilities" in text


def test_over_mcp_a_web_address_is_refused_in_a_sentence(url: str) -> None:
    failed, text = call_tool(url, "recognize", audio="https://films.example/voice.wav")
    assert failed
    assert texts.WEB_ADDRESS in text


def test_more_recordings_than_fit_at_once_are_refused_in_words(client: Client, voice: Path) -> None:
    with pytest.raises(AppError, match="files may be 50 at a time, not 51"):
        client.predict([handle_file(str(voice))] * 51, api_name="/recognize_batch")


def test_a_saved_page_gives_its_films(client: Client, tmp_path: Path) -> None:
    page = write_search_page(tmp_path / "page.html")
    found = client.predict(mood="sad", page=handle_file(str(page)), limit=5, api_name="/recommend")
    assert (found["source"]["kind"], len(found["films"])) == ("imdb", 5)
    assert all(film["title"].startswith("Saved") for film in found["films"])
    page.write_text('{"message": "Forbidden"}')
    with pytest.raises(AppError, match="blocked: JSON"):
        client.predict(mood="sad", page=handle_file(str(page)), api_name="/recommend")


def test_a_mood_and_filters_give_films_by_contract(client: Client) -> None:
    found = client.predict(mood="sad", intent="lift", from_year=2000, max_minutes=120, limit=5, api_name="/recommend")
    assert found["source"]["kind"] == "bundled"
    assert found["source"]["notice"]
    assert len(found["films"]) == 5
    assert all(set(film) == FILM for film in found["films"])
    assert all(film["year"] >= 2000 and film["runtime_min"] <= 120 for film in found["films"])


def test_a_file_that_is_no_recording_is_refused_in_words(client: Client, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no sound at all")
    with pytest.raises(AppError, match="not a recording"):
        client.predict(handle_file(str(tmp_path / "notes.txt")), api_name="/recommend_from_voice")


def test_a_speaker_is_enrolled_and_the_profile_adapts_the_prediction(client: Client, voice: Path) -> None:
    enrolled = client.predict(clips=[handle_file(str(voice))], api_name="/learn_voice")
    assert list(enrolled["voice"]["means"]) == ["neutral"]
    assert enrolled["expected_gain"]["uar_with"] > enrolled["expected_gain"]["uar_without"]
    twice = client.predict(clips=[handle_file(str(voice))] * 2, emotions=["neutral"] * 2, api_name="/learn_voice")
    assert twice["expected_gain"] is None  # which was not measured
    plain = client.predict(handle_file(str(voice)), api_name="/recognize")
    adapted = client.predict(handle_file(str(voice)), voice=enrolled["voice"], api_name="/recognize")
    assert set(adapted) == RECOGNITION
    assert adapted["probabilities"]["neutral"] > plain["probabilities"]["neutral"]
    with pytest.raises(AppError, match="not a saved speaker profile"):
        client.predict(handle_file(str(voice)), voice={"kind": "recipe"}, api_name="/recognize")
    with pytest.raises(AppError, match="for each of the clips the emotion"):
        client.predict(clips=[handle_file(str(voice))] * 2, emotions=["sad"], api_name="/learn_voice")


def test_without_a_second_opinion_the_network_answers_and_says_why(
    client: Client, voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "joined", service.Lazy(lambda: SecondOpinion.load(tmp_path)))
    found = client.predict(handle_file(str(voice)), api_name="/compare")
    assert set(found["cnn"]) == RECOGNITION | {"ms", "parameters"}
    assert (found["large"], found["joined"], found["agree"]) == (None, None, None)
    assert "python train.py" in found["notice"]


def test_one_bad_file_of_several_costs_only_its_own_row(client: Client, voice: Path, noise: Path) -> None:
    files = [handle_file(str(path)) for path in (voice, noise, voice)]
    first, bad, last = client.predict(files=files, api_name="/recognize_batch")["results"]
    assert set(first) == RECOGNITION | {"file"}
    assert first == last
    assert set(bad) == {"file", "error"}
    assert "No voice was heard" in bad["error"]


def test_uploads_over_the_limit_are_refused(url: str) -> None:
    files = {"files": ("big.wav", b"\0" * (21 * 1024 * 1024))}
    assert requests.post(f"{url}gradio_api/upload", files=files, timeout=30).status_code == 413


def test_nothing_is_kept_of_a_visit(url: str) -> None:
    assert requests.get(f"{url}gradio_api/runs", timeout=10).status_code == 404
    config = requests.get(f"{url}config", timeout=10).json()
    assert config["analytics_enabled"] is False
    assert sum(app.demo.delete_cache) <= 3600


def test_importing_the_app_writes_no_files(project: Path) -> None:
    assert not list((project / "ui").glob("*.pyi"))
