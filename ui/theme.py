"""The look: warm paper and ink, one amber accent, a serif for headings and posters; light and dark."""

from __future__ import annotations

import base64
from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes

from ui import texts

HERE = Path(__file__).parent
SPOKEN = {  # words that the style sheet puts beside Gradio's bare icons, which have their own labels
    "upload": texts.UPLOAD, "microphone": texts.MICROPHONE, "record-again": texts.RECORD_AGAIN,
    "undo": texts.UNCUT, "trim": texts.TRIM, "pause": texts.PAUSE, "drop": texts.DROP_HERE,
    "drop-file": texts.DROP_FILE, "looking": texts.LOOKING, "busy": texts.BUSY,
}  # fmt: skip

SANS = ("Inter", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

STONE = colors.Color(
    name="stone", c50="#fbf8f3", c100="#f4efe6", c200="#e6ded1", c300="#d2c7b6", c400="#a89d8c", c500="#7f7566",
    c600="#635a4d", c700="#463f36", c800="#2c2722", c900="#1f1b18", c950="#151210",
)  # fmt: skip
AMBER = colors.Color(
    name="amber", c50="#fff7e8", c100="#ffedc9", c200="#ffdb94", c300="#ffc55c", c400="#f5ad33", c500="#dd8f12",
    c600="#b86f00", c700="#8f5500", c800="#6b4003", c900="#4a2d05", c950="#2e1b02",
)  # fmt: skip


BOTH = {  # variables of Gradio that have the same value in light and dark
    "block_background_fill": "transparent", "block_label_background_fill": "transparent",
    "block_border_width": "0px", "block_label_border_width": "0px",
    "block_title_text_color": "*body_text_color", "block_info_text_color": "*body_text_color_subdued",
    "checkbox_label_text_color_selected": "*neutral_950", "checkbox_label_border_color": "*border_color_primary",
    "button_secondary_background_fill": "*background_fill_primary",
    "button_secondary_background_fill_hover": "*background_fill_secondary",
}  # fmt: skip
LIGHT_AND_DARK = {
    "body_background_fill": ("*neutral_50", "*neutral_950"),
    "body_text_color": ("*neutral_900", "*neutral_100"),
    "body_text_color_subdued": ("*neutral_600", "*neutral_400"),
    "background_fill_primary": ("white", "*neutral_900"),
    "background_fill_secondary": ("*neutral_100", "*neutral_800"),
    "border_color_primary": ("*neutral_200", "*neutral_700"),
    "checkbox_label_background_fill": ("*background_fill_primary", "*background_fill_secondary"),
    "checkbox_label_background_fill_hover": ("*background_fill_secondary", "*neutral_700"),
    "checkbox_label_background_fill_selected": ("*primary_300", "*primary_400"),
    "button_secondary_border_color": ("*neutral_400", "*neutral_600"),
}
SIZES = {
    "block_shadow": "none", "block_padding": "0px", "block_label_padding": "0 0 8px 0", "button_large_radius": "999px",
    "checkbox_label_border_width": "1px", "block_title_text_weight": "600", "block_title_text_size": "*text_md",
}  # fmt: skip


class Theme(gr.themes.Base):
    """Gradio's own variables, set so that the style sheet has little left to do."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=AMBER, secondary_hue=AMBER, neutral_hue=STONE, font=SANS, font_mono=MONO,
            radius_size=sizes.radius_lg, text_size=sizes.text_md,
        )  # fmt: skip
        both = LIGHT_AND_DARK | {name: (value, value) for name, value in BOTH.items()}
        light = {name: values[0] for name, values in both.items()}
        self.set(**light, **{f"{name}_dark": values[1] for name, values in both.items()}, **SIZES)


def style_sheet() -> str:
    """Return the style sheet with its one font and its words inside, so that no other server is asked for anything."""
    font = base64.b64encode((HERE / "fonts" / "fraunces-600.woff2").read_bytes()).decode()
    face = (
        f'@font-face{{font-family:"Fraunces";font-weight:600;font-display:swap;src:url(data:font/woff2;base64,{font})}}'
    )
    words = "".join(f'--say-{name}:"{text}";' for name, text in SPOKEN.items())
    return f":root{{{words}}}\n{face}\n{(HERE / 'style.css').read_text('utf-8')}"


def script() -> str:
    """Return what runs in the browser once the page has loaded."""
    return (HERE / "page.js").read_text("utf-8")
