"""The place beside a recorder where page.js says, in a sentence, why the microphone cannot be had."""

from __future__ import annotations

from ui import texts

NOTE = (
    f'<p class="microphone-note" role="alert" data-denied="{texts.DENIED}" data-missing="{texts.NO_MICROPHONE}" '
    f'data-insecure="{texts.INSECURE}"></p>'
)
