"""What the app holds in memory while it recognises clip after clip: python -m benchmarks.memory.

The app is a process of its own and is asked over HTTP. Writes results/memory.json.
"""

from __future__ import annotations

import asyncio

import httpx

from benchmarks import report, server, visitor, voices

CLIPS, SETTLED = 500, 100  # growth is counted from the second number on
VOICES = 20


def main() -> None:
    """Ask for many clips and write what the process held on the way."""
    options = report.read_options("memory", __doc__).parse_args()
    clips, settled = (12, 4) if options.small else (CLIPS, SETTLED)
    with server.serve() as app:
        held = asyncio.run(ask_often(app, clips, {0, 1, settled, *range(settled, clips, settled), clips}))
        largest = app.largest_mb()
    numbers = {
        "clips": clips,
        "resident_mb": held[clips]["resident"],
        "peak_mb": held[clips]["peak"],
        "growth_mb": round(held[clips]["resident"] - held[settled]["resident"], 1),
        "growth_over_the_last": clips - settled,
        "held_mb": held,
        "largest_mb": largest,
    }
    report.write(options.out, "memory", "python -m benchmarks.memory", numbers, ("torch", "gradio", "onnxruntime"))


async def ask_often(app: server.Server, clips: int, looks: set[int]) -> dict[int, dict[str, float]]:
    """Ask for clip after clip; return what the process holds after so many of them."""
    recordings = [voices.to_wav(voices.say(4, number)) for number in range(VOICES)]
    held = {0: app.memory_mb()}
    async with httpx.AsyncClient(base_url=app.address, timeout=server.PATIENCE_S) as client:
        for number in range(1, clips + 1):
            recording = recordings[number % VOICES]
            await visitor.call(client, "recognize", audio=await visitor.upload(client, "voice.wav", recording))
            if number in looks:
                held[number] = app.memory_mb()
    return held


if __name__ == "__main__":
    main()
