"""What chat programs read of the page, and calls that nobody knows."""

from __future__ import annotations

import re

import pytest
import requests
from PIL import Image
from running_app import Running

from ui import middleware, texts


def read_head(url: str, **headers: str) -> dict[str, list[str]]:
    page = requests.get(url, headers=headers, timeout=10).text
    found: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', page):
        found.setdefault(name, []).append(content)
    return found


def test_a_link_has_a_title_a_description_and_a_picture_of_its_own(running: Running) -> None:
    head = read_head(running.url)
    assert head["og:title"] == [texts.TITLE]
    assert head["og:description"] == head["description"] == [texts.DESCRIPTION]
    assert head["og:image"] == [f"{running.url}share.png"]
    assert not any("Gradio" in content for contents in head.values() for content in contents)
    assert requests.get(head["og:image"][0], timeout=10).headers["content-type"] == "image/png"
    assert Image.open(middleware.PICTURE).size == middleware.PICTURE_SIZE


def test_a_link_to_a_list_says_for_which_mood_and_nothing_else_gets_into_the_head(running: Running) -> None:
    head = read_head(f'{running.url}?mood=angry&intent=lift&__theme=dark&x="><script>')
    assert head["og:title"] == ["Films for an angry mood"]
    assert head["og:url"][0].startswith(f"{running.url}?mood=angry&amp;intent=lift")
    assert "<script" not in head["og:url"][0]
    assert "__theme" not in head["og:url"][0]
    assert read_head(f"{running.url}?mood=sad,bored,calm")["og:title"] == ["Films for a sad or calm mood"]
    assert read_head(f"{running.url}?mood=bored")["og:title"] == [texts.TITLE]


def test_behind_a_proxy_the_picture_has_the_address_that_visitors_see(running: Running) -> None:
    proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "moods.example"}
    assert read_head(running.url, **proxy)["og:image"] == ["https://moods.example/share.png"]


def test_the_page_can_be_installed_under_any_prefix(running: Running) -> None:
    assert 'rel="manifest" href="manifest.json"' in requests.get(running.url, timeout=10).text
    manifest = requests.get(f"{running.url}manifest.json", timeout=10).json()
    assert manifest["start_url"] == manifest["scope"] == "./"
    for icon in manifest["icons"]:
        assert requests.get(running.url + icon["src"], timeout=10).headers["content-type"] == icon["type"]


def test_text_is_sent_compressed(running: Running) -> None:
    answer = requests.get(running.url, timeout=10)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.content) > 4 * int(answer.headers["content-length"])


@pytest.mark.parametrize("version", ["", "v2/"])
def test_a_call_that_nobody_made_or_that_was_read_is_unknown(running: Running, version: str) -> None:
    calls = f"{running.url}gradio_api/call/{version}recommend"
    assert requests.get(f"{calls}/0123456789abcdef", timeout=10).status_code == 404
    event = requests.post(f"{running.url}gradio_api/call/v2/recommend", json={"mood": "sad"}, timeout=10).json()[
        "event_id"
    ]
    assert "event: complete" in requests.get(f"{calls}/{event}", timeout=20).text
    again = requests.get(f"{calls}/{event}", timeout=10)
    assert (again.status_code, again.json()["detail"]) == (404, texts.UNKNOWN_EVENT)
