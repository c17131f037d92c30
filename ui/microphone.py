"""The places where page.js says, in a sentence, why the microphone cannot be had or a file is left out."""

from __future__ import annotations

from ui import texts

NOTE = (
    f'<p class="microphone-note" role="alert" data-denied="{texts.DENIED}" data-missing="{texts.NO_MICROPHONE}" '
    f'data-insecure="{texts.INSECURE}" data-large="{texts.TOO_LARGE}"></p>'
)
FILE_NOTE = f'<p class="file-note" role="alert" data-large="{texts.TOO_LARGE}"></p>'
