"""HTML from a Handlebars template and values that can become neither markup nor script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NewType

import gradio as gr

Shown = NewType("Shown", dict[str, Any])  # values made harmless by `shown`, the only thing a template may be given

_ANNOUNCE = "element.setAttribute('role', 'status'); element.setAttribute('aria-live', 'polite');"


def template(
    text: str, value: Shown | None = None, *, elem_id: str, live: bool = False, script: str | None = None
) -> gr.HTML:
    """Make a place in the page that shows values through a template.

    A function and not a subclass of gr.HTML: for each subclass Gradio writes a .pyi file beside its module.

    Args:
        text: Handlebars with double braces only, which escape markup.
        value: What it shows at first.
        elem_id: The id of the element in the page.
        live: Whether a screen reader announces changes.
        script: What runs in the browser once the element is there.
    """
    if "${" in text or "{{{" in text:
        raise ValueError("a template may use double braces only")
    script = _ANNOUNCE if live else script
    return gr.HTML(value or shown(), html_template=text, js_on_load=script, elem_id=elem_id, apply_default_css=False)


def shown(**values: Any) -> Shown:
    """Make values harmless.

    Gradio evaluates the filled template as a JavaScript template literal, so `${...}` in a film's title would run.
    """
    return Shown(_escape(values))


def _escape(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("${", "\\${")
    if isinstance(value, Mapping):
        return {key: _escape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escape(item) for item in value]
    return value
