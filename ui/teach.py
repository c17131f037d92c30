"""Teach it your voice: one guided line or eight, what that brings, and a small file to bring along the next time."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.labels import EMOTIONS
from ser_model.voice import LearnedVoice, VoiceError
from ui import microphone, service, texts
from ui.template import Shown, shown, template
from ui.visit import Visit

FILE = "my-voice.json"

TEMPLATE = """
<section class="lesson" aria-label="TITLE">
  {{#if value.problem}}<p class="problem">{{value.problem}}</p>{{/if}}
  {{#if value.learned}}
  <p class="learned">{{value.learned}}</p>
  <p><a class="save" href="{{value.file}}" download="FILE">SAVE</a> <span class="quiet">SAVE_HINT</span></p>
  {{/if}}
  {{#if value.line}}
  <p class="quiet step">{{value.step}}</p>
  <h3>{{value.line}}</h3>
  <p class="quiet">{{value.manner}}</p>
  {{/if}}
  <ol class="steps" aria-label="PROGRESS">
    {{#each value.steps}}
    <li class="{{this.state}}" {{#if this.current}}aria-current="step"{{/if}}>
      <span class="face face-{{this.name}}" aria-hidden="true"></span>{{this.name}}
      <span class="unseen">{{this.said}}</span>
    </li>
    {{/each}}
  </ol>
</section>
"""
for word, text in {
    "TITLE": texts.TEACH,
    "PROGRESS": texts.TEACH_PROGRESS,
    "SAVE_HINT": texts.TEACH_SAVE_HINT,
    "SAVE": texts.TEACH_SAVE,
    "FILE": FILE,
}.items():
    TEMPLATE = TEMPLATE.replace(word, text)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The recordings so far, one for each emotion in the order of EMOTIONS."""

    clips: tuple[str, ...] = ()


def draw(visit: gr.State) -> None:
    """Lay out the lines, the recorder and the way to bring a voice along; say what happens when a line was spoken."""
    lesson = gr.State(Lesson())
    template(f"{microphone.NOTE}<p>{texts.TEACH_HINT}</p>{_promise()}", elem_id="teach-hint")
    with gr.Row(elem_id="teach-row"):
        recorder = gr.Audio(
            sources=["microphone", "upload"],
            type="filepath",
            label=texts.TEACH,
            show_label=False,
            buttons=[],
            elem_id="teach-recorder",
            min_width=280,
        )
        guide = template(TEMPLATE, describe(Lesson(), Visit()), elem_id="lesson", live=True)
    with gr.Row(elem_id="teach-more"):
        bring = gr.UploadButton(texts.TEACH_BRING, file_types=[".json"], size="sm", elem_id="bring")
        forget = gr.Button(texts.TEACH_FORGET, size="sm", elem_id="forget")
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    said = [visit, lesson, guide, recorder]
    recorder.change(take, [recorder, visit, lesson], said, concurrency_id="model", **private)
    bring.upload(bring_along, [bring, visit], said, **private)
    forget.click(start_again, visit, said, **private)


def take(path: str | None, visit: Visit, lesson: Lesson) -> tuple[Any, Any, Any, Any]:
    """Take the next line; return the visit, the lesson, what is shown and the recorder, emptied for the next one."""
    if path is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    if len(lesson.clips) == len(EMOTIONS):
        return visit, lesson, describe(lesson, visit, texts.TEACH_FULL), None
    longer = Lesson((*lesson.clips, path))
    try:
        service.hear(path)  # a line that cannot be judged is said again
        visit = replace(visit, voice=_learn(longer, visit))
    except (AudioError, VoiceError) as error:
        return visit, lesson, describe(lesson, visit, str(error)), None
    except WeightsError:
        return visit, lesson, describe(lesson, visit, texts.NO_MODEL), None
    return visit, longer, describe(longer, visit), None


def bring_along(path: str, visit: Visit) -> tuple[Visit, Lesson, Shown, None]:
    """Take a voice that was learned on another visit; return what take does."""
    try:
        visit = replace(visit, voice=service.read_voice(Path(path)))
    except (VoiceError, OSError) as error:
        return visit, Lesson(), describe(Lesson(), visit, str(error)), None
    except WeightsError:
        return visit, Lesson(), describe(Lesson(), visit, texts.NO_MODEL), None
    return visit, Lesson(), describe(Lesson(), visit), None


def start_again(visit: Visit) -> tuple[Visit, Lesson, Shown, None]:
    """Forget the voice and every line."""
    visit = replace(visit, voice=None)
    return visit, Lesson(), describe(Lesson(), visit), None


def describe(lesson: Lesson, visit: Visit, problem: str = "") -> Shown:
    """Describe the next line, what was learned already, and how far one has come."""
    done = len(lesson.clips)
    steps = [
        {
            "name": str(emotion),
            "state": "done" if place < done else "now" if place == done else "",
            "said": texts.TEACH_SAID if place < done else "",
            "current": place == done,
        }
        for place, emotion in enumerate(EMOTIONS)
    ]
    said: dict[str, Any] = {"steps": steps, "problem": problem} | _describe_learned(visit.voice)
    if done < len(EMOTIONS):
        emotion = EMOTIONS[done]
        said["step"] = texts.TEACH_STEP.format(number=done + 1, all=len(EMOTIONS))
        said["line"] = texts.TEACH_LINE.format(emotion=str(emotion).capitalize())
        said["manner"] = texts.TEACH_MANNERS[emotion]
    return shown(**said)


def _describe_learned(voice: LearnedVoice | None) -> dict[str, str]:
    if voice is None:
        return {}
    content = quote(json.dumps(voice.to_json()), safe="")
    words = {1: texts.TEACH_LEARNED_ONE, len(EMOTIONS): texts.TEACH_LEARNED}
    return {
        "learned": words.get(len(voice.points), texts.TEACH_LEARNED_OTHER),
        "file": f"data:application/json,{content}",
    }


def _learn(lesson: Lesson, visit: Visit) -> LearnedVoice | None:
    """Learn from the first line and from all eight, as was measured; between the two, what is known stays.

    One line takes no voice away that was learned from more.
    """
    knows_more = visit.voice is not None and len(visit.voice.points) > 1
    if len(lesson.clips) != len(EMOTIONS) and (knows_more or len(lesson.clips) > 1):
        return visit.voice
    return service.learn_voice({str(emotion): [clip] for emotion, clip in zip(EMOTIONS, lesson.clips, strict=False)})


def _gain(voice: LearnedVoice) -> str:
    gain = service.expect_gain(voice)
    if gain is None:
        return ""
    words = texts.TEACH_GAIN_ONE if gain["clips"] == 1 else texts.TEACH_GAIN
    return words.format(before=round(100 * gain["uar_without"]), after=round(100 * gain["uar_with"]))


def _promise() -> str:
    """Say what one line and eight were measured to bring."""
    one = _gain(LearnedVoice("", {str(EMOTIONS[0]): ()}))
    eight = _gain(LearnedVoice("", {str(emotion): () for emotion in EMOTIONS}))
    return f'<p class="quiet">{texts.TEACH_MEASURED} {one} {eight}</p>' if one and eight else ""
