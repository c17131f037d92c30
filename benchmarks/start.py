"""From `python app.py` to the page, and to the first recognised clip: python -m benchmarks.start.

The bare `import torch, gradio` of the same run stands beside it. Writes results/start.json.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time

import httpx

from benchmarks import report, server, visitor, voices

ROUNDS = 3


def main() -> None:
    """Start the app several times beside the bare import, and write the medians."""
    options = report.read_options("start", __doc__).parse_args()
    rounds = [time_start() for _ in range(1 if options.small else ROUNDS)]
    medians = {name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]}
    bare_s = medians["import_torch_and_gradio_s"]
    numbers = {
        "rounds": len(rounds),
        **medians,
        "page_times_bare_import": round(medians["page_answers_s"] / bare_s, 2),
        "first_clip_times_bare_import": round(medians["first_clip_recognised_s"] / bare_s, 2),
    }
    report.write(options.out, "start", "python -m benchmarks.start", numbers, ("torch", "gradio"))


def time_start() -> dict[str, float]:
    """Import, then start the app and ask it; return seconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True)
    bare_s = time.perf_counter() - started
    recording = voices.to_wav(voices.say(4))
    started = time.perf_counter()
    with server.serve() as app:
        asyncio.run(_ask(app.address, recording))
        first_s = time.perf_counter() - started
        next_ms = report.time_ms(lambda: asyncio.run(_ask(app.address, recording)))
    return {
        "import_torch_and_gradio_s": bare_s,
        "page_answers_s": app.page_s,
        "first_clip_recognised_s": first_s,
        "next_clip_s": next_ms / 1000,
    }


async def _ask(address: str, recording: bytes) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=server.PATIENCE_S) as client:
        await visitor.call(client, "recognize", audio=await visitor.upload(client, "voice.wav", recording))


if __name__ == "__main__":
    main()
