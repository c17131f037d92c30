"""Call a running app over MCP, as a language model would: list its tools, predict an emotion, get films.

A recording is uploaded first and passed by its address on the server; other web addresses are refused.

    python examples/mcp_client.py http://127.0.0.1:7860 ui/voices/cheerful.wav
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str, recording: str) -> None:
    """Print the names of the tools, then the answers of two of them."""
    api = f"{url.rstrip('/')}/gradio_api"
    file = {"files": ("voice.wav", Path(recording).read_bytes())}
    path = httpx.post(f"{api}/upload", files=file).raise_for_status().json()[0]
    async with streamablehttp_client(f"{api}/mcp/") as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        print(*tools, sep="\n")
        heard: dict[str, Any] = {"audio": f"{api}/file={path}"}
        for end, arguments in (("recognize", heard), ("recommend", {"mood": "sad", "intent": "lift", "limit": 3})):
            name = next(name for name in tools if name.endswith(end))  # a Space adds a prefix
            answer = await session.call_tool(name, arguments)
            print(*(getattr(part, "text", part) for part in answer.content), sep="\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
