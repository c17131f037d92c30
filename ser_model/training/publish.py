"""Writes a trained network as a folder that the Space, transformers and a reader can use, and publishes it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

from ser_model.cnn import EmotionCnn, load_network, save_network
from ser_model.files import CONFIG_NAME, WEIGHTS_NAME
from ser_model.hub import EmotionFeatureExtractor, make_config
from ser_model.speaker import SPACE_NAME, SpeakerSpace
from ser_model.training.card import list_code, write_card

EXTRACTOR_NAME = "preprocessor_config.json"
AUTO_MAPS = {  # which class of hub.py each of transformers' Auto classes opens
    CONFIG_NAME: {
        "AutoConfig": "hub.EmotionCnnConfig",
        "AutoModelForAudioClassification": "hub.EmotionCnnForAudioClassification",
    },
    EXTRACTOR_NAME: {"AutoFeatureExtractor": "hub.EmotionFeatureExtractor"},
}
LOG_IN = "Log in with a token that may write: hf auth login"
UNAUTHORISED, FORBIDDEN = 401, 403


class PublishError(RuntimeError):
    """The weights could not be published; the message is one sentence that says what to do."""


def save_weights(folder: Path, network: EmotionCnn, space: SpeakerSpace, calibration: Path) -> None:
    """Write config.json, model.safetensors, speaker.safetensors, preprocessor_config.json and the model card.

    Args:
        folder: Made when missing.
        network: Trained on all actors.
        space: Of its training clips, by which it learns voices.
        calibration: The metrics.json of the folds; the card also quotes the other protocols beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metrics: dict[str, Any] = json.loads(calibration.read_text())
    digests = {"weights_sha256": save_network(network, folder), "speaker_sha256": space.save(folder)}
    make_config(network.config, **digests, **metrics["calibration"]).save_pretrained(folder)
    EmotionFeatureExtractor().save_pretrained(folder)
    write_card(folder, calibration)


def push_weights(weights: Path, repo: str) -> str:
    """Publish weights, card and code on the model hub, for trust_remote_code.

    Args:
        weights: A folder from save_weights.
        repo: OWNER/NAME; made when missing.

    Returns:
        The address of the repository.

    Raises:
        PublishError: There is no token, no right or no network, or the name is wrong.
        WeightsError: The weights are missing or damaged.
    """
    load_network(weights)
    if get_token() is None:
        raise PublishError(f"There is no token for the model hub. {LOG_IN}")
    with TemporaryDirectory() as place:
        stage_weights(weights, Path(place))
        try:
            api = HfApi()
            address = api.create_repo(repo, exist_ok=True)
            api.upload_folder(repo_id=repo, folder_path=place, commit_message="Weights, model card and code")
        except HFValidationError as error:
            raise PublishError(f"{repo} is no name of a repository. Write it as OWNER/NAME.") from error
        except HfHubHTTPError as error:
            raise PublishError(_explain_refusal(error, repo)) from error
        except (OfflineModeIsEnabled, httpx.TransportError, OSError) as error:
            raise PublishError(
                "The model hub cannot be reached. Check the network, and that HF_HUB_OFFLINE is not set."
            ) from error
    return str(address)


def stage_weights(weights: Path, place: Path) -> None:
    """Lay into a folder what is published: weights and settings, the card, and the code they name.

    Imports inside the package become relative, the form in which transformers follows them.
    """
    for name in (WEIGHTS_NAME, SPACE_NAME, "README.md"):
        shutil.copyfile(weights / name, place / name)
    for name, auto_map in AUTO_MAPS.items():
        settings = json.loads((weights / name).read_text()) | {"auto_map": auto_map}
        (place / name).write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    for path in list_code():
        text = re.sub(r"^from ser_model\.(\w+) import", r"from .\1 import", path.read_text(), flags=re.MULTILINE)
        (place / path.name).write_text(text)


def _explain_refusal(error: HfHubHTTPError, repo: str) -> str:
    status = error.response.status_code
    if status == UNAUTHORISED:
        return f"The model hub does not accept the token. {LOG_IN}"
    if status == FORBIDDEN:
        return f"The token may not write to {repo}. Choose a repository of your own, or a token that may write there."
    return f"The model hub refused {repo} with status {status}. Try again later."
