"""A recording from a web address, as an MCP client names it: public hosts only, and no more than is listened to.

Gradio's own way reads an answer of any size into memory and asks a resolver of Google for names that it cannot place.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
from pathlib import Path

import gradio as gr
import httpx
from gradio import processing_utils
from safehttpx import AsyncSecureTransport

from ser_model.audio import CLIP
from ui import texts, uploads

PATIENCE_S = 10.0
# IPv6 addresses that carry an IPv4 address, which a gateway would ask: NAT64 and IPv4-compatible (RFC 6052, RFC 4291)
EMBEDDING = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


async def fetch(url: str, cache_dir: str) -> str:
    """Fetch a recording, without redirects.

    Args:
        url: A web address; its host must be public.
        cache_dir: Where uploads lie.

    Returns:
        The path of the file.

    Raises:
        gr.Error: It cannot be fetched, or there is no room for it.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            data = await _download(url)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # OSError: unknown hosts, and time is up
        raise gr.Error(texts.UNFETCHED, print_exception=False) from error
    if await asyncio.to_thread(uploads.measure) > uploads.MOST_BYTES:
        raise gr.Error(texts.NO_ROOM, print_exception=False)
    path = Path(cache_dir) / hashlib.sha256(data).hexdigest() / "recording"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def replace_gradios() -> None:
    """Let Gradio fetch recordings this way."""
    processing_utils.async_ssrf_protected_download = fetch


async def _download(url: str) -> bytes:
    address = httpx.URL(url)
    transport = AsyncSecureTransport(await _find_public(address.host))  # asks this address, whatever the name says next
    data = b""
    async with (
        httpx.AsyncClient(transport=transport, timeout=PATIENCE_S, trust_env=False) as client,
        client.stream("GET", address, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"status {response.status_code}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise ValueError("packed, though it was asked for as it is")
        async for piece in response.aiter_raw():
            data += piece
            if len(data) > CLIP.megabytes * 1_000_000:
                raise ValueError("too large")
    return data


async def _find_public(host: str) -> str:
    for _, _, _, _, place in await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM):
        if not is_public(str(place[0])):
            raise ValueError(f"{host} is not public")
    return str(place[0])


def is_public(address: str) -> bool:
    """Say whether an address lies in the internet, and not on this machine, beside it, or in a provider's network."""
    found = ipaddress.ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    if isinstance(found, ipaddress.IPv6Address):
        embeds = found.sixtofour or found.teredo or any(found in network for network in EMBEDDING)
        if embeds or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast
