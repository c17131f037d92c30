"""Call a running app over MCP, as a language model would: list its tools, then get films.

The tools that take a recording need an uploaded file: POST it to /gradio_api/upload first, as curl.sh does, and pass
{"path": ..., "meta": {"_type": "gradio.FileData"}}. Web addresses and paths of your own machine are refused.

    python examples/mcp_client.py http://127.0.0.1:7860
"""

from __future__ import annotations

import asyncio
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str) -> None:
    """Print the names of the tools, then the answer of one of them."""
    async with (
        streamablehttp_client(f"{url.rstrip('/')}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        print(*(f"tool: {name}" for name in tools), sep="\n")
        recommend = next(name for name in tools if name.endswith("recommend"))  # a Space adds a prefix
        answer = await session.call_tool(recommend, {"mood": "sad", "intent": "lift", "limit": 3})
        for part in answer.content:
            print(getattr(part, "text", part))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
