"""Visitors on loopback: 50 for two minutes, then 200 at once, then eight one after another.

First, one visitor asks every question alone, which gives the right answers; a different answer later on was swapped
with another visitor's. Even visitors use the page, odd ones the endpoints; half of the questions are voices, half
moods. Writes load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

from benchmarks import report
from scraper.moods import Intent, Mood

TIMEOUT_S = 300
VOICES = 24
PAUSE_S = 3.0  # mean time between an answer and a visitor's next question


class RefusedError(Exception):
    """The queue is full; the message is the app's reply."""


class App(NamedTuple):
    """The app in a process of its own, and the seconds from start to page."""

    address: str
    process: subprocess.Popen[bytes]
    page_s: float


@contextlib.contextmanager
def running_app() -> Iterator[App]:
    """Start `python app.py` on a free port, without IMDb, wait for the page, and stop it at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        settings = {"GRADIO_SERVER_PORT": str(port), "IMDB_LIVE": "off", "MOOD_HOME": home, "GRADIO_TEMP_DIR": home}
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "app.py"], env=os.environ | settings, stdout=subprocess.DEVNULL)
        try:
            while time.perf_counter() - started < TIMEOUT_S and process.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    httpx.get(address, timeout=5, trust_env=False).raise_for_status()
                    break
                time.sleep(0.02)
            else:
                raise TimeoutError(f"The app did not answer within {TIMEOUT_S} s.")
            yield App(address, process, time.perf_counter() - started)
        finally:
            process.terminate()
            process.wait(timeout=30)


async def upload(client: httpx.AsyncClient, name: str, data: bytes) -> dict[str, Any]:
    """Upload a recording; return it as the endpoints expect it."""
    answer = (await client.post("/gradio_api/upload", files={"files": (name, data)})).raise_for_status()
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


async def call(client: httpx.AsyncClient, endpoint: str, **values: object) -> Any:
    """Call an endpoint by parameter names and return its answer; raise RefusedError or, for an error, RuntimeError."""
    url = f"/gradio_api/call/v2/{endpoint}"
    event = read_event(await client.post(url, json=values))
    answer = (await client.get(f"{url}/{event}")).text.strip()
    parts = dict(part.split("\n", 1) for part in answer.split("event: ")[1:])
    if "complete" not in parts:
        raise RuntimeError(answer)
    return json.loads(parts["complete"].strip().removeprefix("data: "))[0]


def read_event(response: httpx.Response) -> str:
    """Return the id of the queued event."""
    if response.is_error:
        raise RefusedError(str(response.json().get("detail", response.text)))
    return str(response.json()["event_id"])


class PageClient:
    """The page's own events, sent as the browser sends them; each visit is a new session."""

    def __init__(self, client: httpx.AsyncClient, config: dict[str, Any]) -> None:
        self._client = client
        handlers = config["dependencies"]
        self._events = {(one["api_name"].rstrip("_0123456789"), one["trigger_after"]): one["id"] for one in handlers}
        defaults = {one["id"]: one["props"].get("value") for one in config["components"]}
        inputs = next(one["inputs"] for one in handlers if one["api_name"] == "show_films")
        self._filters = [defaults[number] for number in inputs[4:]]  # after mood, visit, film list and intent

    async def visit(self, handler: str, *values: object) -> list[Any]:
        """Answer a question on a new page; return what it shows as answer and as films."""
        session, first = secrets.token_hex(8), self._events[handler, None]
        answer = (await self._send(session, first, *values, None))[1]
        following = self._events["show_films", first]
        films = await self._send(session, following, None, None, None, Intent.LIFT, *self._filters)
        return [{name: value for name, value in answer.items() if name != "stamp"}, films[1]]  # it differs each time

    async def _send(self, session: str, handler: int, *values: object) -> list[Any]:
        question = {"data": values, "fn_index": handler, "session_hash": session, "event_data": None}
        event = read_event(await self._client.post("/gradio_api/queue/join", json=question))
        query = {"session_hash": session}
        async with self._client.stream("GET", "/gradio_api/queue/data", params=query) as messages:
            async for line in messages.aiter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_completed" and message["event_id"] == event:
                    if not message["success"]:
                        raise RuntimeError(str(message["output"]))
                    return list(message["output"]["data"])
        raise RuntimeError("the connection ended before the answer")


class Visit(NamedTuple):
    """How a question went: right, swapped, refused or failed; after how many seconds; what an error said."""

    outcome: str
    wait_s: float = 0.0
    message: str = ""


def summarize(visits: list[Visit]) -> dict[str, Any]:
    """Return the counts, the waits of those answered (an upload included), and the messages of the others."""
    waits = sorted(visit.wait_s for visit in visits if not visit.message) or [0.0]
    p95_s = waits[min(round(0.95 * len(waits)), len(waits) - 1)]
    times = {"median_s": statistics.median(waits), "p95_s": p95_s, "max_s": waits[-1]}
    outcomes = Counter(visit.outcome for visit in visits)
    counts = {name: outcomes[name] for name in ("right", "swapped", "refused", "failed")}
    messages = Counter(visit.message for visit in visits if visit.message)
    return counts | {name: round(s, 3) for name, s in times.items()} | {"messages": dict(messages)}


class Crowd:
    """Visitors who know the right answers to their questions."""

    def __init__(self, client: httpx.AsyncClient, page: PageClient) -> None:
        self._client, self._page = client, page
        self._recordings = [report.encode_wav(report.synthesize_voice(4, number)) for number in range(VOICES)]
        self._right: dict[tuple[bool, int | Mood], Any] = {}

    async def learn(self) -> int:
        """Ask every question alone; return how many different answers the page gives to the voices."""
        for question in (*range(VOICES), *Mood):
            for on_page in (True, False):
                self._right[on_page, question] = await self._ask(on_page, question)
        return len({str(self._right[True, number]) for number in range(VOICES)})

    async def stay(self, number: int, until: float) -> list[Visit]:
        """Ask as one visitor, with pauses, until the time is over."""
        visits: list[Visit] = []
        rng = random.Random(number)  # noqa: S311 - the same crowd every time
        await asyncio.sleep(rng.uniform(0, PAUSE_S))
        while time.monotonic() < until:
            question = rng.choice(list(Mood)) if rng.random() < 0.5 else number % VOICES  # noqa: PLR2004
            visits.append(await self.visit(number, question))
            await asyncio.sleep(rng.expovariate(1 / PAUSE_S))
        return visits

    async def visit(self, number: int, question: int | Mood) -> Visit:
        """Ask one question."""
        on_page, started = number % 2 == 0, time.perf_counter()
        try:
            answer = await self._ask(on_page, question)
        except (RefusedError, RuntimeError, httpx.HTTPError) as error:
            outcome = "refused" if isinstance(error, RefusedError) else "failed"
            return Visit(outcome, message=str(error)[:200] or type(error).__name__)
        outcome = "right" if answer == self._right[on_page, question] else "swapped"
        return Visit(outcome, time.perf_counter() - started)

    async def _ask(self, on_page: bool, question: int | Mood) -> Any:
        if isinstance(question, Mood):
            if on_page:
                return await self._page.visit("pick_mood", question)
            return await call(self._client, "recommend", mood=question, intent=Intent.LIFT)
        recording = await upload(self._client, f"{question}.wav", self._recordings[question])
        if on_page:
            return await self._page.visit("predict_clip", recording, True)
        return await call(self._client, "recommend_from_voice", audio=recording, intent=Intent.LIFT)


async def send_crowd(address: str, visitors: int, seconds: float, rush: int) -> dict[str, Any]:
    """Send everybody and return the outcomes."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=visitors)
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S, limits=limits, trust_env=False) as client:
        crowd = Crowd(client, PageClient(client, (await client.get("/config")).json()))
        different = await crowd.learn()
        until = time.monotonic() + seconds
        stays = await asyncio.gather(*(crowd.stay(number, until) for number in range(visitors)))
        started = time.perf_counter()
        at_once = await asyncio.gather(*(crowd.visit(number, number % VOICES) for number in range(rush)))
        rush_s = time.perf_counter() - started
        afterwards = [await crowd.visit(number, number) for number in range(8)]
    return {
        "different_answers": f"{different} of {VOICES}",
        "pause_s": PAUSE_S,
        "visitors": {"visitors": visitors, "seconds": seconds, **summarize(list(itertools.chain(*stays)))},
        "rush": {"visitors": rush, "all_done_s": round(rush_s, 1), **summarize(at_once)},
        "afterwards": summarize(afterwards),
    }


def run(options: argparse.Namespace) -> int:
    """Start the app, send the crowd and write the outcomes."""
    visitors, seconds, rush = (4, 3, 160) if options.small else (50, 120, 200)
    with running_app() as app:
        numbers = asyncio.run(send_crowd(app.address, visitors, seconds, rush))
        resident, peak = (report.read_memory_mb(key, app.process.pid) for key in ("VmRSS", "VmHWM"))
        numbers |= {"memory_mb": {"resident": resident, "peak": peak}, "still_running": app.process.poll() is None}
    report.write_result(options.out, "load", numbers, ("gradio", "httpx"))
    print(numbers["visitors"], numbers["rush"])
    return 0
