"""The time from `python app.py` to the page and to the first recognized clip, beside the bare imports.

Starts the app several times; `import torch, gradio` is timed in the same round. Writes start.json.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time

import httpx

from benchmarks import load, report


def run(options: argparse.Namespace) -> int:
    """Measure a few starts and write the medians."""
    rounds = [measure() for _ in range(1 if options.small else 5)]
    numbers = {name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]}
    report.write_result(options.out, "start", {"rounds": len(rounds)} | numbers, ("torch", "gradio"))
    print(numbers)
    return 0


def measure() -> dict[str, float]:
    """Time the imports, then one start of the app and its first two answers; seconds, and ratios to the imports."""
    file = report.encode_wav(report.synthesize_voice(4), 48_000)
    imports_ms = report.time_ms(lambda: subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True))

    async def recognize(address: str) -> None:
        async with httpx.AsyncClient(base_url=address, timeout=load.TIMEOUT_S) as client:
            await load.call(client, "recognize", audio=await load.upload(client, "voice.wav", file))

    started = time.perf_counter()
    with load.running_app() as app:
        asyncio.run(recognize(app.address))
        first_s = time.perf_counter() - started
        next_s = report.time_ms(lambda: asyncio.run(recognize(app.address))) / 1000
    return {
        "import_torch_and_gradio_s": imports_ms / 1000,
        "page_s": app.page_s,
        "first_clip_s": first_s,
        "next_clip_s": next_s,
        "page_over_imports": 1000 * app.page_s / imports_ms,
        "first_clip_over_imports": 1000 * first_s / imports_ms,
    }
