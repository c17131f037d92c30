"""Ask a running app from Python: how does a recording sound, and which films fit?

python examples/python_client.py http://127.0.0.1:7860 ui/voices/lively.wav
"""

from __future__ import annotations

import sys

from gradio_client import Client, handle_file


def main(url: str, recording: str) -> None:
    """Print what was heard, then three films that lift the mood."""
    client = Client(url, verbose=False)
    heard = client.predict(handle_file(recording), api_name="/recognize")
    print("emotion:", heard["emotion"] or "not sure", heard["probabilities"])
    mood = heard["emotion"] or max(heard["probabilities"], key=heard["probabilities"].get)
    found = client.predict(mood=mood, intent="lift", from_year=2000, limit=3, api_name="/recommend")
    for film in found["films"]:
        print(film["title"], film["year"], film["url"], "-", film["why"])


if __name__ == "__main__":
    main(*sys.argv[1:3])
