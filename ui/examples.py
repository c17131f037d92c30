"""The example voices, made by examples/make_voices.py: one click each for whoever has no microphone at hand."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from ui import texts

FOLDER = Path(__file__).parent / "voices"
VOICES = {name: FOLDER / f"{name}.wav" for name in texts.VOICES}


def draw() -> dict[gr.Button, str]:
    """Lay out a button for each voice; return the recording that belongs to it."""
    with gr.Row(elem_id="examples"):
        return {gr.Button(texts.VOICES[name], elem_classes="example"): str(path) for name, path in VOICES.items()}
