"""Ask a running app as a language model would, over MCP: list its tools, then look for films.

Recordings must be web addresses over MCP; the app does not open paths that a client names.

    python examples/mcp_client.py http://127.0.0.1:7860
"""

from __future__ import annotations

import asyncio
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def ask(url: str) -> None:
    """Print the tools, then the answer of one of them."""
    async with (
        streamablehttp_client(f"{url.rstrip('/')}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        print(*(f"tool: {name}" for name in tools), sep="\n")
        recommend = next(name for name in tools if name.endswith("recommend"))  # a Space puts its own name in front
        answer = await session.call_tool(recommend, {"mood": "sad", "intent": "lift", "limit": 3})
        for part in answer.content:
            print(getattr(part, "text", part))


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1]))
