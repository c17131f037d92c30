"""The files of an encoder: found on this machine, or downloaded from the Hub while somebody is told how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_model.cnn import CONFIG_NAME, WEIGHTS_NAME

EXTRACTOR_NAME = "preprocessor_config.json"
OLD_WEIGHTS_NAME = "pytorch_model.bin"  # where there is no model.safetensors


class DownloadError(RuntimeError):
    """An encoder cannot be downloaded. The message is one line that says what to do."""


@dataclass
class Progress:
    """How far the download of the weights is; one thread writes it, others read."""

    bytes: tuple[int, int] | None = None  # those that are here, and all; None if nothing is being downloaded


def find_files(name: str) -> Path | None:
    """Return the folder of an encoder, which is the name itself or in the Hub's cache, if any. No request is made."""
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import errors, try_to_load_from_cache  # noqa: PLC0415 - the command line needs it seldom

    try:
        paths = [try_to_load_from_cache(name, file) for file in (CONFIG_NAME, WEIGHTS_NAME, OLD_WEIGHTS_NAME)]
    except errors.HFValidationError:  # a folder that does not exist
        return None
    config, *weights = (isinstance(path, str) for path in paths)
    return Path(str(paths[0])).parent if config and any(weights) else None


def can_download() -> bool:
    """Return whether the Hub may be asked, which HF_HUB_OFFLINE forbids."""
    from huggingface_hub import is_offline_mode  # noqa: PLC0415

    return not is_offline_mode()


def download(name: str, progress: Progress | None = None) -> Path:
    """Download the files of an encoder into the Hub's cache, where some may be; a DownloadError if it is impossible."""
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_download, hf_hub_url  # noqa: PLC0415
    from huggingface_hub.utils.tqdm import tqdm  # noqa: PLC0415

    class Bar(tqdm):
        """A progress bar that also tells progress."""

        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            self.here, self.whole = int(settings.get("initial") or 0), int(settings.get("total") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.here += int(n or 0)
            if progress and self.whole and (not progress.bytes or self.here > progress.bytes[0]):
                progress.bytes = (min(self.here, self.whole), self.whole)
            return bool(super().update(n))

    try:
        get_hf_file_metadata(hf_hub_url(name, CONFIG_NAME))  # fails at once, where a download would be tried six times
        config, _ = (hf_hub_download(name, file) for file in (CONFIG_NAME, EXTRACTOR_NAME))
        try:
            hf_hub_download(name, WEIGHTS_NAME, tqdm_class=Bar)
        except errors.RemoteEntryNotFoundError:
            hf_hub_download(name, OLD_WEIGHTS_NAME, tqdm_class=Bar)
    except (OSError, ValueError, RuntimeError, errors.HTTPError, errors.XetDownloadError) as error:  # type: ignore[attr-defined]
        raise DownloadError(
            f"The encoder {name} is not on this machine and cannot be downloaded. Get it with: hf download {name}"
        ) from error
    finally:
        if progress:
            progress.bytes = None
    return Path(config).parent
