"""Your voice: one guided line or eight adapt the model to a visitor, who can save the profile for the next visit."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from ser_model.labels import EMOTIONS, Emotion
from ser_model.speaker import SpeakerProfile
from ui import service, texts
from ui.answer import adjective
from ui.page import PRIVATE, Visit, draw_hint, draw_recorder
from ui.template import SafeContext, escape, template

FILE = "my-voice.json"
SAY_AGAIN = """element.addEventListener("click", ({ target }) => {
  const step = target.closest("[data-place]");
  if (step) trigger("click", { place: step.dataset.place });
});"""
MEASURED = Path(__file__).resolve().parents[1] / "results" / "enrollment.json"
ROWS: dict[frozenset[str], str] = {  # in that file, by the emotions in a profile
    frozenset([Emotion.NEUTRAL]): "one",
    frozenset(EMOTIONS): "eight",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EnrollmentState:
    """The recordings so far, one for each emotion in the order of EMOTIONS."""

    clips: tuple[str, ...] = ()
    again: int | None = None  # which of them is to be said again


def draw(visit: gr.State) -> None:
    """Lay out the lines to read, the recorder, and what saves and loads a profile.

    The drawer is open at first, and page.js closes it, as for live.draw.
    """
    with gr.Accordion(texts.ENROLL, open=True, elem_id="enroll", elem_classes="drawer"):
        state = gr.State(EnrollmentState())
        draw_hint("enroll-hint", texts.ENROLL_HINT, describe_gain())
        with gr.Row(elem_id="enroll-row"):
            recorder = draw_recorder("enroll-recorder", texts.ENROLL, show_label=False)
            shown = describe(EnrollmentState(), Visit())
            guide = template("enroll", shown, elem_id="guide", live=True, script=SAY_AGAIN, file=FILE)
        with gr.Row(elem_id="enroll-more"):
            load = gr.UploadButton(texts.ENROLL_LOAD, file_types=[".json"], size="sm", elem_id="load-profile")
            forget = gr.Button(texts.ENROLL_FORGET, size="sm", elem_id="forget-profile")
    changed = [visit, state, guide, recorder]
    recorder.change(take_line, [recorder, visit, state], changed, concurrency_id="model", **PRIVATE)
    guide.click(say_again, [visit, state], [state, guide], **PRIVATE)
    load.upload(load_profile, [load, visit], changed, **PRIVATE)
    forget.click(forget_profile, visit, changed, **PRIVATE)


def take_line(path: str | None, visit: Visit, state: EnrollmentState) -> tuple[Any, ...]:
    """Take the next line; return the visit, the state, what is shown, and the recorder, empty for the next line."""
    if path is None:
        return (gr.skip(),) * 4
    place = len(state.clips) if state.again is None else state.again
    if place == len(EMOTIONS):
        return visit, state, describe(state, visit, texts.ENROLL_FULL), None
    longer = EnrollmentState((*state.clips[:place], path, *state.clips[place + 1 :]))
    try:
        service.predict(path)  # an unusable line must be recorded again
        visit = replace(visit, profile=_enroll(longer, visit, place))
    except service.VOICE_PROBLEMS as error:
        return visit, state, describe(state, visit, service.explain_problem(error)), None
    return visit, longer, describe(longer, visit), None


def say_again(event: gr.EventData, visit: Visit, state: EnrollmentState) -> tuple[EnrollmentState, SafeContext]:
    """Ask for a line again that was said already; return the state and what is shown."""
    place = int(event.place)
    if place < len(state.clips):
        state = replace(state, again=place)
    return state, describe(state, visit)


def load_profile(path: str, visit: Visit) -> tuple[Visit, EnrollmentState, SafeContext, None]:
    """Load a profile that was saved on an earlier visit; return what take_line does."""
    state, problem = EnrollmentState(), ""
    try:
        visit = replace(visit, profile=service.read_profile(Path(path)))
    except (*service.VOICE_PROBLEMS, OSError) as error:
        problem = service.explain_problem(error)
    return visit, state, describe(state, visit, problem), None


def forget_profile(visit: Visit) -> tuple[Visit, EnrollmentState, SafeContext, None]:
    """Forget the profile and every line."""
    visit = replace(visit, profile=None)
    return visit, EnrollmentState(), describe(EnrollmentState(), visit), None


def describe(state: EnrollmentState, visit: Visit, problem: str = "") -> SafeContext:
    """Describe the next line, the profile so far, and the progress."""
    done = len(state.clips)
    now = done if state.again is None else state.again
    steps = [
        {
            "face": str(emotion),
            "name": adjective(emotion),
            "place": str(place),
            "state": "now" if place == now else "done" if place < done else "",
            "said": texts.ENROLL_DONE if place < done else "",
            "current": place == now,
        }
        for place, emotion in enumerate(EMOTIONS)
    ]
    said: dict[str, Any] = {"problem": problem, "steps": steps}
    if visit.profile is not None:
        words = {1: texts.ENROLLED_ONE, len(EMOTIONS): texts.ENROLLED_EIGHT}
        said["enrolled"] = words.get(len(visit.profile.means), texts.ENROLLED)
        if 1 < done < len(EMOTIONS):
            said["enrolled"] = texts.ENROLL_SO_FAR.format(done=done, all=len(EMOTIONS))
        said["profile"] = f"data:application/json,{quote(json.dumps(visit.profile.to_json()), safe='')}"
    if now < len(EMOTIONS):
        emotion = EMOTIONS[now]
        said["step"] = texts.ENROLL_STEP.format(number=now + 1, all=len(EMOTIONS))
        said["line"] = texts.ENROLL_LINE.format(emotion=adjective(emotion).capitalize())
        said["manner"] = texts.ENROLL_MANNERS[emotion]
    return escape(**said)


def expected_gain(profile: SpeakerProfile, measured: Path = MEASURED) -> dict[str, Any] | None:
    """Return what enrollment was measured to bring (see GainJson); None if it was not measured for such clips."""
    emotions = frozenset(profile.means)
    if emotions not in ROWS or not measured.exists():
        return None
    try:
        rows = json.loads(measured.read_text("utf-8"))["rows"]
        row = rows[ROWS[emotions]]
        return {
            "clips": len(emotions),
            "uar_without": round(rows["none"]["uar"], 4),
            "uar_with": round(row["uar"], 4),
            "gain": round(100 * row["gain"], 1),
            "gain_by_fold": {fold: round(100 * gain, 1) for fold, gain in row["gain_by_fold"].items()},
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        logger.warning("%s is damaged: %r", measured, error)
        return None


def describe_gain() -> str:
    """Say what one line and eight lines were measured to bring; nothing if they were not measured."""
    sentences = [texts.ENROLL_MEASURED]
    for emotions, sentence in ((EMOTIONS[:1], texts.ENROLL_GAIN_ONE), (EMOTIONS, texts.ENROLL_GAIN)):
        gain = expected_gain(SpeakerProfile("", dict.fromkeys(map(str, emotions), ())))
        if gain is None:
            return ""
        before, after = (round(100 * gain[name]) for name in ("uar_without", "uar_with"))
        sentences.append(sentence.format(before=before, after=after))
    return " ".join(sentences)


def _enroll(state: EnrollmentState, visit: Visit, place: int) -> SpeakerProfile | None:
    """Enroll from the first line and from all eight, as was measured; in between, the profile stays.

    A profile from more than one line is not replaced by one from a single line.
    """
    has_all = len(state.clips) == len(EMOTIONS)
    if not has_all and (place > 0 or (visit.profile and len(visit.profile.means) > 1)):
        return visit.profile
    said = state.clips if has_all else state.clips[:1]
    return service.enroll({str(emotion): [clip] for emotion, clip in zip(EMOTIONS, said, strict=False)})
