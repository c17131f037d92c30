"""A gr.HTML whose values are always text: nothing in them can become markup or script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr


class Template(gr.HTML):
    """Shows a dict through a Handlebars template that uses double braces only.

    Double braces escape markup. Gradio then evaluates the filled template as a JavaScript template literal, in which
    `${...}` of a film's title would run as code; `make_inert` stands against that.

    Args:
        template: Handlebars, without `${}` and without triple braces.
        value: What the template shows.
        elem_id: The id of the element in the page.
        live: Whether a screen reader announces changes.
    """

    def __init__(
        self, template: str, value: Mapping[str, Any] | None = None, *, elem_id: str, live: bool = False
    ) -> None:
        if "${" in template or "{{{" in template:
            raise ValueError("a template may use double braces only")
        super().__init__(
            value,
            html_template=template,
            js_on_load=_LIVE if live else None,
            elem_id=elem_id,
            apply_default_css=False,
        )

    def postprocess(self, value: Mapping[str, Any] | None) -> Any:
        """Make every string of the value harmless."""
        return make_inert(value or {})

    def api_info(self) -> dict[str, Any]:
        """Describe the value for the API page."""
        return {"type": "object"}


def make_inert(value: Any) -> Any:
    r"""Escape what a JavaScript template literal would interpret, in every string of a nested value.

    Examples:
        >>> make_inert({"title": "${alert(1)}"})
        {'title': '\\${alert(1)}'}
    """
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("${", "\\${")
    if isinstance(value, Mapping):
        return {key: make_inert(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_inert(item) for item in value]
    return value


_LIVE = "element.setAttribute('role', 'status'); element.setAttribute('aria-live', 'polite');"
