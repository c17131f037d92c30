"""A visitor of the app over plain HTTP: what a program sends to the endpoints, and what a click sends on the page."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import Any

import httpx


class Refused(Exception):  # noqa: N818 - the name says what happened
    """The app did not take the question; the message is what it said."""


class Failed(Exception):  # noqa: N818
    """The app took the question and answered with an error."""


async def upload(client: httpx.AsyncClient, name: str, data: bytes) -> dict[str, Any]:
    """Bring a recording; return how an endpoint wants it named."""
    answer = await client.post("/gradio_api/upload", files={"files": (name, data)})
    answer.raise_for_status()
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


async def call(client: httpx.AsyncClient, endpoint: str, **values: object) -> Any:
    """Ask an endpoint by the names of its parameters; return its answer.

    Raises:
        Refused: The queue is full.
        Failed: The answer is an error, or there is none.
    """
    taken = await client.post(f"/gradio_api/call/v2/{endpoint}", json=values)
    event = _read_event(taken)
    answer = await client.get(f"/gradio_api/call/v2/{endpoint}/{event}")
    said = dict(part.split("\n", 1) for part in answer.text.strip().split("event: ")[1:])
    if "complete" not in said:
        raise Failed(answer.text.strip())
    return json.loads(said["complete"].strip().removeprefix("data: "))[0]


@dataclass(frozen=True)
class Page:
    """One visitor's open page; the app keeps a state for each session.

    Attributes:
        client: The way to the app.
        session: The name under which the app keeps this visitor's state.
        events: The numbers of the page's event handlers, by function and by the handler that they follow.
        filters: The answers of the untouched filters.
    """

    client: httpx.AsyncClient
    session: str
    events: dict[tuple[str, int | None], int]
    filters: list[Any]

    @classmethod
    async def open(cls, client: httpx.AsyncClient) -> Page:
        """Open the page."""
        config = (await client.get("/config")).json()
        handlers = config["dependencies"]
        events = {(str(one["api_name"]).rstrip("_0123456789"), one["trigger_after"]): one["id"] for one in handlers}
        asked = next(one["inputs"] for one in handlers if one["api_name"] == "show_films")
        usual = {one["id"]: one["props"].get("value") for one in config["components"]}
        return cls(client, secrets.token_hex(8), events, [usual[number] for number in asked[3:]])

    def reopen(self) -> Page:
        """Come back as a new visitor, of whom the app knows nothing."""
        return replace(self, session=secrets.token_hex(8))

    async def pick_mood(self, mood: str, intent: str) -> list[Any]:
        """Click on a mood; return what the page shows as answer and as films."""
        picked = self.events["pick_mood", None]
        _, answer = await self._send(picked, mood, None)
        return [answer, await self._show_films(picked, intent)]

    async def speak(self, recording: dict[str, Any], intent: str) -> list[Any]:
        """Say something that was uploaded; return what the page shows as answer and as films."""
        heard = self.events["hear_clip", None]
        _, answer, _ = await self._send(heard, recording, True, None)
        return [answer, await self._show_films(heard, intent)]

    async def _show_films(self, after: int, intent: str) -> Any:
        return (await self._send(self.events["show_films", after], None, None, intent, *self.filters))[1]

    async def _send(self, handler: int, *values: object) -> list[Any]:
        question = {"data": values, "fn_index": handler, "session_hash": self.session, "event_data": None}
        event = _read_event(await self.client.post("/gradio_api/queue/join", json=question))
        async with self.client.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self.session}
        ) as messages:
            async for line in messages.aiter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_completed" and message["event_id"] == event:
                    if not message["success"]:
                        raise Failed(str(message["output"]))
                    return list(message["output"]["data"])
        raise Failed("the connection ended before the answer")


def _read_event(taken: httpx.Response) -> str:
    if taken.is_error:
        raise Refused(str(taken.json().get("detail", taken.text)))
    return str(taken.json()["event_id"])
