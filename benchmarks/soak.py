"""Ten visitors for half an hour: does the memory of the app grow? Writes soak.json."""

from __future__ import annotations

import argparse
import asyncio
from statistics import median

from benchmarks import load, report


def run(options: argparse.Namespace) -> int:
    """Send the visitors, and write how much the memory grew from the second five minutes to the last."""
    visitors, seconds, every_s = (2, 6, 1) if options.small else (10, 1_800, 30)

    async def watch(app: load.App) -> tuple[dict[str, object], list[int]]:
        crowd = asyncio.create_task(load.send_crowd(app.address, visitors, seconds, rush=0))
        memory_mb = []
        while not crowd.done():
            await asyncio.wait([crowd], timeout=every_s)
            memory_mb.append(report.read_memory_mb("VmRSS", app.process.pid))
        return crowd.result()["visitors"], memory_mb

    with load.running_app() as app:
        outcomes, memory_mb = asyncio.run(watch(app))
    sixth = max(len(memory_mb) // 6, 1)  # five minutes
    growth_mb = median(memory_mb[-sixth:]) - median(memory_mb[sixth : 2 * sixth + 1])
    numbers = {"visitors": outcomes, "every_s": every_s, "memory_mb": memory_mb, "growth_mb": growth_mb}
    report.write_result(options.out, "soak", numbers, ("gradio", "httpx"))
    print(growth_mb, outcomes)
    return 0
