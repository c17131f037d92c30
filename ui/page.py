"""The main path of the page: a visitor records a clip or picks a mood, and gets an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import soundfile as sf
from gradio.events import Dependency

from scraper.moods import Mood
from ser_model.audio import CLIP_LIMITS, RECORDING_LIMITS, AudioError, TooLong, load_audio
from ser_model.decode import MIB
from ser_model.frontend import SAMPLE_RATE
from ser_model.recognize import Prediction
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ui import answer, service, texts
from ui.template import SafeContext, escape, template

VOICES = Path(__file__).parent / "voices"  # synthetic, made by examples/make_voices.py
FILES = "audio/*,video/mp4,video/webm,video/quicktime,video/3gpp,.opus,.caf,.amr,.mka,.mkv,.mov,.3gp"  # to choose from
RECORDED = "audio.wav"  # how Gradio names what comes from a microphone

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # events that are no endpoints
LATEST = PRIVATE | {"trigger_mode": "always_last"}  # of quick repetitions, the last one counts


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of one visitor until the tab closes."""

    prediction: Prediction | None = None  # for the last recording
    mood: str | None = None  # picked, or those of the address with commas between; it overrides the prediction
    profile: SpeakerProfile | None = None  # of the visitor's voice, once enrolled

    @property
    def probabilities(self) -> dict[str, float]:
        """By mood; empty before the first recording or pick."""
        if self.mood:
            moods = self.mood.split(",")
            return dict.fromkeys(moods, 1 / len(moods))
        return {str(name): p for name, p in self.prediction.probabilities.items()} if self.prediction else {}

    @property
    def named(self) -> str | None:
        """The mood for an address, which never holds the voice; of one that is not sure, the most probable three."""
        if self.mood or not self.prediction:
            return self.mood
        return self.prediction.emotion or ",".join(mood for mood, _ in self.prediction.top(answer.TOP))


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
    limits = texts.SPEAK_LIMITS.format(seconds=CLIP_LIMITS.max_s, megabytes=CLIP_LIMITS.max_bytes // MIB)
    with gr.Column(elem_id="ask"):
        with gr.Row(elem_id="either"):
            with gr.Column(elem_id="voice", min_width=280):
                voice = draw_recorder("clip", texts.SPEAK)
                problem = template("problem", elem_id="problem", live=True)
                first_minute = gr.Button(texts.FIRST_MINUTE, visible=False, elem_id="first-minute")
                draw_hint("hint", texts.SPEAK_HINT, limits)
            with gr.Column(elem_id="choose", min_width=280):
                faces = [(mood.adjective.capitalize(), mood.value) for mood in Mood]
                moods = gr.Radio(faces, label=texts.PICK, elem_id="moods")
                intent = gr.Radio(texts.INTENTS, value="match", label=texts.INTENT, elem_id="intent")
                draw_hint("choose-note", note="")
        with gr.Row(elem_id="besides"):
            gr.HTML(f'<p class="quiet">{texts.EXAMPLES}</p>', elem_id="examples-note", apply_default_css=False)
            with gr.Row(elem_id="examples"):
                for name, title in texts.VOICES.items():
                    button = gr.Button(title, elem_classes="example")
                    button.click(partial(str, VOICES / f"{name}.wav"), None, voice, **PRIVATE)
    verdict = template("answer", elem_id="answer", live=True)
    shown = LATEST | {"show_progress": "minimal", "show_progress_on": verdict, "concurrency_id": "model"}
    changed = [visit, verdict, moods, problem, first_minute]
    predicted = voice.change(predict_clip, [voice, visit], changed, **shown)
    picked = moods.input(pick_mood, [moods, visit], [visit, verdict, problem, first_minute], **LATEST)
    first_minute.click(cut_clip, voice, voice, concurrency_id="model", **PRIVATE)
    return Asked(voice, moods, intent, verdict, predicted, picked)


def draw_recorder(elem_id: str, label: str, **more: Any) -> gr.Audio:
    """Lay out a recorder that also takes uploads, unless more says otherwise."""
    settings: dict[str, Any] = {"sources": ["microphone", "upload"], "buttons": [], "min_width": 280}
    return gr.Audio(type="filepath", label=label, elem_id=elem_id, **settings | more)


def draw_hint(elem_id: str, hint: str = "", more: str = "", note: str = "microphone-note") -> None:
    """Lay out the hint beside a recorder, with the messages that page.js shows when something goes wrong there."""
    limits: dict[str, Any] = {"max_bytes": str(CLIP_LIMITS.max_bytes), "max_s": str(CLIP_LIMITS.max_s)}
    template("hint", elem_id=elem_id, hint=hint, more=more, note=note, files=FILES, **limits)


def predict_clip(path: str | None, visit: Visit) -> tuple[Any, ...]:
    """Predict a new recording; return visit, answer, mood buttons, what went wrong, and the "first minute" button."""
    if path is None:  # cleared to record again: the page stays as it is until then
        return (gr.skip(),) * 5
    visit = Visit(profile=visit.profile)
    try:
        prediction = service.predict(path, visit.profile)
    except service.VOICE_PROBLEMS as error:
        if isinstance(error, EnrollmentError):  # the profile was made with other weights
            visit = Visit()
        is_long, sentence = isinstance(error, TooLong), service.explain_problem(error)
        if isinstance(error, AudioError) and Path(path).name != RECORDED:  # who sent a file cannot speak closer
            sentence = texts.FILE_TOO_LONG if is_long else str(error)
        said = answer.describe_problem(sentence)
        return visit, escape(), gr.Radio(value=None, label=texts.PICK), said, gr.Button(visible=is_long)
    return *show_prediction(prediction, path, visit), escape(), gr.Button(visible=False)


def show_prediction(prediction: Prediction, path: str, visit: Visit) -> tuple[Visit, SafeContext, gr.Radio]:
    """Use a prediction for a recording; return the visit, the answer and the mood buttons."""
    buttons = gr.Radio(value=prediction.emotion, label=texts.CORRECT if prediction.sure else texts.WHICH)
    said = answer.describe_prediction(prediction, visit.profile is not None, made=Path(path).stem in texts.VOICES)
    return replace(visit, prediction=prediction, mood=None), said, buttons


def pick_mood(mood: str, visit: Visit) -> tuple[Any, ...]:
    """Use the mood that the visitor picked; return the visit, the answer, no problem and no button."""
    said = answer.describe_pick(mood, visit.prediction)
    return replace(visit, mood=mood), said, escape(), gr.Button(visible=False)


def cut_clip(path: str) -> str:
    """Return the first minute of a recording, for the recorder."""
    try:
        sound = load_audio(path, replace(RECORDING_LIMITS, max_bytes=CLIP_LIMITS.max_bytes))
    except (*service.VOICE_PROBLEMS, OSError) as error:
        raise gr.Error(str(error), print_exception=False) from error
    cut = Path(path).with_name("first-minute.wav")
    sf.write(cut, sound[: CLIP_LIMITS.max_s * SAMPLE_RATE], SAMPLE_RATE)
    return str(cut)
