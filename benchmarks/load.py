"""A crowd before the app, on loopback: python -m benchmarks.load sends 50 visitors for two minutes, then 200 at once.

First one visitor alone asks for everything; whoever gets another answer later got somebody else's. Even visitors click
on the page, odd ones call the endpoints; half of what they ask is a voice, half a mood. Writes results/load.json.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks import report, server, visitor, voices
from scraper.moods import Intent, Mood

VOICES = 24
THINKING_S = 3.0  # mean time between an answer and the next question; a person hears, looks and reads


@dataclass(frozen=True)
class Size:
    """How many come, and for how long."""

    visitors: int
    seconds: float
    rush: int


FULL, SMALL = Size(visitors=50, seconds=120, rush=200), Size(visitors=4, seconds=3, rush=160)


@dataclass
class Tally:
    """What became of the questions.

    Attributes:
        waits_s: How long each answer took, from the click (an upload included) to the films.
        outcomes: How often each outcome was seen: right, swapped, refused, failed.
        said: What those were told who got no answer.
    """

    waits_s: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return counts, and the median, the 95th percentile and the longest wait in seconds."""
        counts = {name: self.outcomes[name] for name in ("right", "swapped", "refused", "failed")}
        waits = sorted(self.waits_s) or [0.0]
        p95_s = waits[min(round(0.95 * len(waits)), len(waits) - 1)]
        spread = {"median_s": statistics.median(waits), "p95_s": p95_s, "longest_s": waits[-1]}
        return counts | {name: round(value, 3) for name, value in spread.items()} | {"said": dict(self.said)}


class Crowd:
    """Asks questions whose right answers are known."""

    def __init__(self, client: httpx.AsyncClient, page: visitor.Page) -> None:
        self._client, self._page = client, page
        self._recordings = [voices.to_wav(voices.say(4, number), 16_000) for number in range(VOICES)]
        self._questions = [("voice", number) for number in range(VOICES)] + [("mood", mood) for mood in Mood]
        self._right: dict[tuple[bool, str, Any], Any] = {}

    async def learn(self) -> int:
        """Ask everything alone; return how many different answers there are to recordings."""
        for on_page in (True, False):
            for kind, which in self._questions:
                self._right[on_page, kind, which] = await self._ask(on_page, kind, which)
        return len({str(answer) for (on_page, kind, _), answer in self._right.items() if kind == "voice" and on_page})

    async def stay(self, number: int, until: float, tally: Tally) -> None:
        """Be one visitor: think, ask, compare, until the time is over."""
        chance = random.Random(number)  # noqa: S311 - the same crowd every time
        await asyncio.sleep(chance.uniform(0, THINKING_S))
        while time.monotonic() < until:
            await self.visit(number, chance, tally)
            await asyncio.sleep(chance.expovariate(1 / THINKING_S))

    async def visit(self, number: int, chance: random.Random, tally: Tally, voice: bool | None = None) -> None:
        """Ask one question and count what comes of it."""
        on_page, voice = number % 2 == 0, chance.random() < 0.5 if voice is None else voice  # noqa: PLR2004
        kind, which = ("voice", number % VOICES) if voice else ("mood", chance.choice(list(Mood)))
        started = time.perf_counter()
        try:
            answer = await self._ask(on_page, kind, which)
        except visitor.Refused as refusal:
            tally.outcomes["refused"] += 1
            tally.said[str(refusal)] += 1
        except (visitor.Failed, httpx.HTTPError) as failure:
            tally.outcomes["failed"] += 1
            tally.said[f"{type(failure).__name__}: {failure}"[:200]] += 1
        else:
            tally.waits_s.append(time.perf_counter() - started)
            tally.outcomes["right" if answer == self._right[on_page, kind, which] else "swapped"] += 1

    async def _ask(self, on_page: bool, kind: str, which: Any) -> Any:
        """Ask as a new visitor; return everything that is shown or answered."""
        page = self._page.reopen() if on_page else None
        if kind == "mood":
            if page:
                return await page.pick_mood(which, Intent.LIFT)
            return await visitor.call(self._client, "recommend", mood=which, intent=Intent.LIFT)
        recording = await visitor.upload(self._client, f"{which}.wav", self._recordings[which])
        if page:
            return await page.speak(recording, Intent.LIFT)
        return await visitor.call(self._client, "recommend_from_voice", audio=recording, intent=Intent.LIFT)


async def crowd(address: str, size: Size) -> dict[str, Any]:
    """Send everybody; return what became of them."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=FULL.visitors)
    async with httpx.AsyncClient(base_url=address, timeout=server.PATIENCE_S, limits=limits) as client:
        people = Crowd(client, await visitor.Page.open(client))
        different = await people.learn()
        staying, rush, after = Tally(), Tally(), Tally()
        until = time.monotonic() + size.seconds
        await asyncio.gather(*(people.stay(number, until, staying) for number in range(size.visitors)))
        chance = random.Random(0)  # noqa: S311
        started = time.perf_counter()
        await asyncio.gather(*(people.visit(number, chance, rush, voice=True) for number in range(size.rush)))
        rush_s = time.perf_counter() - started
        for number in range(8):
            await people.visit(number, chance, after, voice=True)
    return {
        "different_answers": f"{different} of {VOICES}",
        "thinking_s": THINKING_S,
        "staying": {"visitors": size.visitors, "seconds": size.seconds, **staying.to_json()},
        "at_once": {"visitors": size.rush, "all_done_s": round(rush_s, 1), **rush.to_json()},
        "afterwards": after.to_json(),
    }


def main() -> None:
    """Start the app, send the crowd, and write what became of it."""
    options = report.read_options("load", __doc__).parse_args()
    with server.serve() as app:
        numbers = asyncio.run(crowd(app.address, SMALL if options.small else FULL))
        numbers |= {"memory_mb": app.memory_mb(), "still_running": app.process.poll() is None}
    report.write(options.out, "load", "python -m benchmarks.load", numbers, ("gradio", "httpx"))


if __name__ == "__main__":
    main()
