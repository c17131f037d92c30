"""Call a running app from Python: predict the emotion of a recording, then get films for it.

python examples/python_client.py http://127.0.0.1:7860 ui/voices/cheerful.wav
"""

from __future__ import annotations

import sys

from gradio_client import Client, handle_file


def main(url: str, recording: str) -> None:
    """Print the prediction, then three films that lift the mood."""
    client = Client(url, verbose=False)
    prediction = client.predict(handle_file(recording), api_name="/recognize")
    print("emotion:", prediction["emotion"] or "not sure", prediction["probabilities"])
    mood = prediction["emotion"] or max(prediction["probabilities"], key=prediction["probabilities"].get)
    answer = client.predict(mood=mood, intent="lift", from_year=2000, limit=3, api_name="/recommend")
    for film in answer["films"]:
        print(film["title"], film["year"], film["url"], "-", film["why"])


if __name__ == "__main__":
    main(*sys.argv[1:3])
