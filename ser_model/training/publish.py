"""Writes a trained network as a folder that the Space, transformers and a reader can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from ser_model.cnn import EmotionCnn, save_network
from ser_model.hub import EmotionFeatureExtractor, make_config

CARD = """---
{card_data}
---
# EmotionCnn: how a voice sounds, in {parameters:,} parameters

Hears up to a minute of speech and says which of eight acted emotions it sounds like, and whether the voice sounds
male or female. Log-mel frames, three one-dimensional convolution blocks, attentive statistics pooling.

**These weights were trained on all 24 actors of RAVDESS, speech and song, so no figure can be measured with them.
The figures below belong to networks trained by the same settings without the actors they were scored on**
(Luna folds, five networks, each clip scored by one that never heard its actor; `results/luna/`).

| on actors never heard | |
|---|---|
| unweighted average recall, 8 emotions | {uar:.1f} % (95 % interval over actors {low:.1f} to {high:.1f}) |
| accuracy | {accuracy:.1f} % |
| accuracy when 30 % may stay unanswered | {selective:.1f} % |
| expected calibration error | {ece:.3f} |
| recall of sadness | {sad:.1f} % |
| voice gender | {gender:.1f} % |
| chance / human listeners | 12.5 % / 62.4 % |

## Use

```python
import ser_model.hub  # registers the classes
from transformers import pipeline
from ser_model.audio import load_audio

listen = pipeline("audio-classification", model="ser_model/weights", top_k=None)
print(listen(load_audio("voice.wav")))
```

The pipeline hears the whole waveform; `ser_model.recognize.EmotionRecognizer` also finds the speech in it first, as
training did, and says when it is not sure.

## Limits

Twenty-four North American actors spoke two English sentences in a studio. Real feelings are subtler, other languages
and accents were never heard, and small models confuse sad with calm. It is a toy for choosing films, no diagnosis, and
must not be used to judge people.

## Terms

Trained on RAVDESS (Livingstone & Russo 2018, doi:10.1371/journal.pone.0196391), CC BY-NC-SA 4.0; the weights carry the
same license: attribution, no commercial use, share alike.
"""


def save_weights(folder: Path, network: EmotionCnn, metrics: dict[str, Any]) -> None:
    """Write config.json, model.safetensors, preprocessor_config.json and the model card.

    Args:
        folder: Made when missing.
        network: Trained on all actors.
        metrics: The metrics.json of the folds, for the calibration and the card's figures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = save_network(network, folder)
    make_config(network.config, weights_sha256=digest, **metrics["calibration"]).save_pretrained(folder)
    EmotionFeatureExtractor().save_pretrained(folder)
    write_card(folder, network.count_parameters(), metrics)


def write_card(folder: Path, parameters: int, metrics: dict[str, Any]) -> None:
    """Write FOLDER/README.md from the figures of the folds."""
    low, high = metrics["uar_interval_95"]
    text = CARD.format(
        card_data=_describe(metrics).to_yaml(),
        parameters=parameters,
        uar=100 * metrics["uar"],
        low=100 * low,
        high=100 * high,
        accuracy=100 * metrics["accuracy"],
        selective=100 * metrics["accuracy_when_abstaining_on_30_percent"],
        ece=metrics["ece"],
        sad=100 * metrics["recall"]["sad"],
        gender=100 * metrics["gender"]["accuracy"],
    )
    (folder / "README.md").write_text(text)


def _describe(metrics: dict[str, Any]) -> ModelCardData:
    return ModelCardData(
        language="en",
        license="cc-by-nc-sa-4.0",
        pipeline_tag="audio-classification",
        model_name="EmotionCnn",
        datasets=["xbgoose/ravdess"],
        tags=["speech-emotion-recognition", "ravdess"],
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                dataset_type="xbgoose/ravdess",
                dataset_name="RAVDESS speech, Luna folds by actor (networks of the folds, not these weights)",
                metric_type="recall",
                metric_name="UAR",
                metric_value=round(metrics["uar"], 4),
            )
        ],
    )
