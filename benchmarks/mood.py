"""From a picked mood to film cards, with the bundled list: python -m benchmarks.mood.

Asked over HTTP in two ways: the endpoint /recommend, and the page's own two events, as a click sends them.
Writes results/mood.json.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable

import httpx

from benchmarks import report, server, visitor
from scraper.moods import Intent, Mood

ROUNDS = 10  # of the sixteen pairs of mood and intent


def main() -> None:
    """Ask for every mood and intent several times, and write the medians."""
    options = report.read_options("mood", __doc__).parse_args()
    with server.serve() as app:
        numbers = asyncio.run(time_moods(app.address, 1 if options.small else ROUNDS))
    report.write(options.out, "mood", "python -m benchmarks.mood", numbers, ("gradio", "duckdb"))


async def time_moods(address: str, rounds: int) -> dict[str, object]:
    """Time both ways in turn; return their medians and 95th percentiles in milliseconds."""
    asked = list(itertools.product(Mood, Intent))
    took: dict[str, list[float]] = {"endpoint": [], "page": []}
    async with httpx.AsyncClient(base_url=address, timeout=server.PATIENCE_S) as client:
        page = await visitor.Page.open(client)
        for number in range(1 + rounds):  # the first round warms up
            for mood, intent in asked:
                ways: dict[str, Callable[[], Awaitable[object]]] = {
                    "endpoint": lambda m=mood, i=intent: visitor.call(client, "recommend", mood=m, intent=i),
                    "page": lambda m=mood, i=intent: page.pick_mood(m, i),
                }
                for name, way in ways.items():
                    started = time.perf_counter()
                    await way()
                    took[name] += [1000 * (time.perf_counter() - started)] * (number > 0)
    return {
        "rounds": rounds * len(asked),
        "median_ms": {name: round(statistics.median(times), 1) for name, times in took.items()},
        "p95_ms": {name: round(statistics.quantiles(times, n=20)[-1], 1) for name, times in took.items()},
    }


if __name__ == "__main__":
    main()
