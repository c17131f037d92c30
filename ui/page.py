"""The main path of the page: a visitor records a clip or picks a mood, and gets an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.events import Dependency

from scraper.moods import Mood
from ser_model.audio import CLIP_LIMITS
from ser_model.recognize import Prediction
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ui import answer, service, texts
from ui.template import template

VOICES = Path(__file__).parent / "voices"  # synthetic, made by examples/make_voices.py

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # events that are no endpoints
LATEST = PRIVATE | {"trigger_mode": "always_last"}  # of quick repetitions, the last one counts


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of one visitor until the tab closes."""

    prediction: Prediction | None = None  # for the last recording
    mood: str | None = None  # which the visitor picked; it overrides the prediction
    profile: SpeakerProfile | None = None  # of the visitor's voice, once enrolled

    @property
    def probabilities(self) -> dict[str, float]:
        """By mood; empty before the first recording or pick."""
        if self.mood:
            return {self.mood: 1.0}
        return {str(name): p for name, p in self.prediction.probabilities.items()} if self.prediction else {}


class Asked(NamedTuple):
    """The components and events of the main path that other parts of the page follow."""

    voice: gr.Audio
    moods: gr.Radio
    intent: gr.Radio
    verdict: gr.HTML
    predicted: Dependency
    picked: Dependency


def draw(visit: gr.State) -> Asked:
    """Lay out recorder, moods, intent, example voices and the answer."""
    with gr.Column(elem_id="ask"):
        with gr.Row(elem_id="either"):
            with gr.Column(elem_id="voice", min_width=280):
                voice = draw_recorder("clip", texts.SPEAK)
                draw_hint("hint", texts.SPEAK_HINT)
            with gr.Column(elem_id="choose", min_width=280):
                faces = [(mood.adjective.capitalize(), mood.value) for mood in Mood]
                moods = gr.Radio(faces, label=texts.PICK, elem_id="moods")
                intent = gr.Radio(texts.INTENTS, value="match", label=texts.INTENT, elem_id="intent")
        with gr.Row(elem_id="besides"):
            gr.HTML(f'<p class="quiet">{texts.EXAMPLES}</p>', elem_id="examples-note", apply_default_css=False)
            with gr.Row(elem_id="examples"):
                for name, title in texts.VOICES.items():
                    button = gr.Button(title, elem_classes="example")
                    button.click(partial(str, VOICES / f"{name}.wav"), None, voice, **PRIVATE)
            show_gender = gr.Checkbox(True, label=texts.SHOW_GENDER, elem_id="show-gender")
    verdict = template("answer", elem_id="answer", live=True)
    shown = LATEST | {"show_progress": "minimal", "show_progress_on": verdict, "concurrency_id": "model"}
    predicted = voice.change(predict_clip, [voice, show_gender, visit], [visit, verdict, moods], **shown)
    picked = moods.input(pick_mood, [moods, visit], [visit, verdict], **LATEST)
    show_gender.input(switch_gender, [show_gender, visit], verdict, **PRIVATE)
    return Asked(voice, moods, intent, verdict, predicted, picked)


def draw_recorder(elem_id: str, label: str, **more: Any) -> gr.Audio:
    """Lay out a recorder that also takes uploads, unless more says otherwise."""
    settings: dict[str, Any] = {"sources": ["microphone", "upload"], "buttons": [], "min_width": 280}
    return gr.Audio(type="filepath", label=label, elem_id=elem_id, **settings | more)


def draw_hint(elem_id: str, hint: str = "", more: str = "", note: str = "microphone-note") -> None:
    """Lay out the hint beside a recorder, with the messages that page.js shows when something goes wrong there."""
    say = {"denied": texts.DENIED, "missing": texts.NO_MICROPHONE, "insecure": texts.INSECURE}
    say |= {"large": texts.TOO_LARGE, "max_bytes": str(CLIP_LIMITS.max_bytes)}
    template("hint", elem_id=elem_id, say=say | {"hint": hint, "more": more, "note": note})


def predict_clip(path: str | None, show_gender: bool, visit: Visit) -> tuple[Any, Any, Any]:
    """Predict the emotion in a new recording; return the visit, the answer and the mood buttons."""
    if path is None:  # cleared to record again: the page stays as it is until then
        return gr.skip(), gr.skip(), gr.skip()
    visit = Visit(profile=visit.profile)
    try:
        prediction = service.predict(path, visit.profile)
    except service.VOICE_PROBLEMS as error:
        if isinstance(error, EnrollmentError):  # the profile was made with other weights
            visit = Visit()
        said = answer.describe_problem(service.explain_problem(error))
        return visit, said, gr.Radio(value=None, label=texts.PICK)
    buttons = gr.Radio(value=prediction.emotion, label=texts.CORRECT if prediction.sure else texts.WHICH)
    said = answer.describe_prediction(prediction, show_gender, enrolled=visit.profile is not None)
    return replace(visit, prediction=prediction), said, buttons


def pick_mood(mood: str, visit: Visit) -> tuple[Visit, Any]:
    """Use the mood that the visitor picked; return the visit and the answer."""
    return replace(visit, mood=mood), answer.describe_pick(mood, visit.prediction)


def switch_gender(wanted: bool, visit: Visit) -> Any:
    """Show or hide whether the voice sounds male or female; return the answer."""
    if visit.prediction is None or visit.mood:
        return gr.skip()
    return answer.describe_prediction(visit.prediction, wanted, enrolled=visit.profile is not None)
