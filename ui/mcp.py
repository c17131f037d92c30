"""MCP answers that a program can read: JSON, the same as structured content, and a schema that describes it.

Gradio answers with the text that Python prints, without a schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loaded by Gradio when the app is launched
    from gradio.mcp import GradioMCPServer
    from mcp.server import Server
    from mcp.types import ServerResult, TextContent


def answer_in_json() -> None:
    """Make every MCP server of Gradio answer in JSON."""
    from gradio.mcp import GradioMCPServer  # noqa: PLC0415
    from mcp.types import CallToolRequest, ListToolsRequest  # noqa: PLC0415

    create, convert = GradioMCPServer.create_mcp_server, GradioMCPServer.convert_strings_to_filedata

    def create_with_schemas(self: GradioMCPServer) -> Server:
        server = create(self)
        list_tools, call = server.request_handlers[ListToolsRequest], server.request_handlers[CallToolRequest]

        async def list_with_schemas(request: ListToolsRequest) -> ServerResult:
            answer = await list_tools(request)
            described = self.blocks.get_api_info()["named_endpoints"]
            for tool in answer.root.tools:  # type: ignore[union-attr] # what list_tools answers with
                endpoint = self.tool_to_endpoint[tool.name].lstrip("/")
                tool.outputSchema = described[f"/{endpoint}"]["returns"][0]["type"]
            return answer

        async def call_with_structure(request: CallToolRequest) -> ServerResult:
            answer = await call(request)
            result: Any = answer.root
            if not result.isError:
                result.structuredContent = json.loads(result.content[0].text)
            return answer

        server.request_handlers |= {ListToolsRequest: list_with_schemas, CallToolRequest: call_with_structure}
        return server

    def write_json(self: GradioMCPServer, data: list[Any], _root_url: str) -> list[TextContent]:
        return [self.types.TextContent(type="text", text=json.dumps(value, ensure_ascii=False)) for value in data]

    def convert_lists(self: GradioMCPServer, given: dict[Any, Any], places: list[list[str | int]]) -> Any:
        """Take recordings in lists as those outside, which Gradio leaves as they are."""
        lists = [place[0] for place in places if place[1:] == ["items"]]
        items = [[name, place] for name in lists for place in range(len(given.get(name) or ()))]
        return convert(self, given, [*places, *items])

    GradioMCPServer.convert_strings_to_filedata = convert_lists  # type: ignore[method-assign,assignment]
    GradioMCPServer.create_mcp_server = create_with_schemas  # type: ignore[method-assign]
    GradioMCPServer.postprocess_output_data = write_json  # type: ignore[method-assign,assignment]
