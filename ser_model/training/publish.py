"""Writes the shipped weights and their model card, and publishes them on the model hub."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from jinja2 import Template

from ser_model.batch import read_labels
from ser_model.cnn import CONFIG_NAME, WEIGHTS_NAME, EmotionCnn, load_network, read_config, save_network, weights_id
from ser_model.files import atomic_folder
from ser_model.hub import EmotionCnnConfig, EmotionCnnForAudioClassification, make_config, make_feature_extractor
from ser_model.recognize import WEIGHTS
from ser_model.speaker import SPACE_NAME, SpeakerSpace
from ser_model.training.corpora import SOURCES

TEMPLATE = Path(__file__).with_name("card.md")
METRICS_NAME, ENROLLMENT_NAME = "metrics.json", "enrollment.json"
CALIBRATION = Path("results/corpora") / METRICS_NAME
PROTOCOL_NAMES = {
    "luna": "new speakers, Luna folds by actor",
    "emobox": "new speakers, EmoBox folds by actor",
    "loso": "new speakers, one left out at a time",
    "random": "random split of clips, **speakers known**",
}
LEFT_OUT = "corpora"  # the protocol that scores people from other recordings
SAME_RECIPE = ("model", "settings", "teacher", "labels")  # in metrics.json
LOG_IN = "Log in with a token that may write: hf auth login"


class PublishError(RuntimeError):
    """The weights could not be published. The message is one sentence that says what to do."""


def save_weights(folder: Path, network: EmotionCnn, space: SpeakerSpace, metrics: Path) -> None:
    """Write the network, its speaker space, its calibration and the model card; all files or none.

    Args:
        folder: Created if missing.
        network: Trained on all actors.
        space: Fitted to its training clips.
        metrics: The metrics.json of the folds, whose calibration is taken; see read_calibration.
    """
    with atomic_folder(folder) as tmp:
        save_network(network, tmp)
        space.save(tmp)
        make_config(network.config, **read_calibration(metrics)).save_pretrained(tmp)
        make_feature_extractor().save_pretrained(tmp)
        (tmp / "README.md").write_text(make_card(tmp, collect_metrics(metrics)))


def read_calibration(metrics: Path) -> dict[str, Any]:
    """Return the fields of Calibration: those of the folds, and those of enrolled speakers if they were measured.

    Args:
        metrics: Such as results/corpora/metrics.json; results/enrollment.json has those of enrolled speakers.
    """
    calibration: dict[str, Any] = json.loads(metrics.read_text())["calibration"]
    enrollment = metrics.resolve().parents[1] / ENROLLMENT_NAME
    return calibration | (json.loads(enrollment.read_text()).get("calibration", {}) if enrollment.exists() else {})


def push_weights(weights: Path, repo: str) -> str:
    """Publish weights, model card and the code of hub.py on the model hub, for trust_remote_code.

    Args:
        weights: A folder from save_weights.
        repo: OWNER/NAME; created if missing.

    Returns:
        The address of the repository.

    Raises:
        PublishError: There is no token, no permission or no network, or the name is wrong.
        WeightsError: The weights are missing or damaged.
    """
    load_network(weights)
    if get_token() is None:
        raise PublishError(f"There is no token for the model hub. {LOG_IN}")
    with TemporaryDirectory() as folder:
        stage_weights(weights, Path(folder))
        try:
            api = HfApi()
            address = api.create_repo(repo, exist_ok=True)
            api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Weights, model card and code")
        except HFValidationError as error:
            raise PublishError(f"{repo} is not the name of a repository. Write it as OWNER/NAME.") from error
        except HfHubHTTPError as error:
            status = error.response.status_code
            remedy = f"Choose a repository of your own. {LOG_IN}" if status in (401, 403) else "Try again later."
            raise PublishError(f"The model hub refused {repo} with status {status}. {remedy}") from error
        except (OfflineModeIsEnabled, httpx.TransportError, OSError) as error:
            raise PublishError(
                "The model hub cannot be reached. Check the network, and that HF_HUB_OFFLINE is not set."
            ) from error
    return str(address)


def stage_weights(weights: Path, folder: Path) -> None:
    """Write what is published into a folder: weights, model card, and the code that transformers copies."""
    EmotionCnnConfig.register_for_auto_class()
    EmotionCnnForAudioClassification.register_for_auto_class("AutoModelForAudioClassification")
    EmotionCnnForAudioClassification.from_pretrained(weights).save_pretrained(folder)
    for name in ("preprocessor_config.json", SPACE_NAME, "README.md"):
        shutil.copyfile(weights / name, folder / name)


def collect_metrics(metrics: Path) -> dict[str, dict[str, Any]]:
    """Read the metrics of the folds, and those of other protocols by the same recipe beside them.

    Args:
        metrics: Such as results/corpora/metrics.json; the others are results/PROTOCOL/metrics.json.

    Returns:
        Metrics by protocol, those of the folds first.
    """
    main = json.loads(metrics.read_text())
    found = {main["protocol"]: main}
    for protocol in (*PROTOCOL_NAMES, LEFT_OUT):
        path = metrics.resolve().parents[1] / protocol / METRICS_NAME
        other = json.loads(path.read_text()) if path.exists() else {}
        if other and all(other.get(name) == main.get(name) for name in SAME_RECIPE):
            found.setdefault(protocol, other)
    return found


def make_card(weights: Path, metrics: dict[str, dict[str, Any]]) -> str:
    """Fill in the template of the model card.

    Args:
        weights: The folder of config.json and model.safetensors.
        metrics: From collect_metrics.
    """
    by_speaker = {name: one for name, one in metrics.items() if name != LEFT_OUT}
    card: str = Template(TEMPLATE.read_text()).render(
        parameters=load_network(weights).count_parameters(),
        megabytes=(weights / WEIGHTS_NAME).stat().st_size / 1e6,
        weights_id=weights_id(weights)[:12],
        labels=read_labels(weights),
        metrics=by_speaker,
        main=next(iter(by_speaker.values()), None),
        left_out=metrics.get(LEFT_OUT),
        sources=SOURCES,
        protocols=PROTOCOL_NAMES,
    )
    return card.rstrip() + "\n"


def main_card(argv: list[str]) -> int:
    """Write the calibration and the model card of the weights from the results: python -m ser_model card."""
    parser = argparse.ArgumentParser(prog="python -m ser_model card", description=main_card.__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="DIR")
    parser.add_argument("--metrics", type=Path, default=CALIBRATION, metavar="FILE", help="of the folds")
    arguments = parser.parse_args(argv)
    weights, card = arguments.weights, arguments.weights / "README.md"
    config = read_config(weights)
    with atomic_folder(weights) as tmp:
        new = json.dumps(config | read_calibration(arguments.metrics), indent=2, sort_keys=True) + "\n"
        (tmp / CONFIG_NAME).write_text(new)
        (tmp / card.name).write_text(make_card(weights, collect_metrics(arguments.metrics)))
    print(card, file=sys.stderr)
    return 0
