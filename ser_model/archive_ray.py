"""The same scoring of a folder as a Ray Data job, for more machines than one; Ray is optional.

Every machine of the cluster needs requirements.txt installed and the folder under the same path (a network drive); this
package, with its weights, is sent along.
"""

from __future__ import annotations

import os
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from joblib import cpu_count

from ser_model.archive import ScoringJob, list_recordings
from ser_model.table import make_table, read_labels, shape_table

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 64  # files in a task
MISSING = "Ray is not installed. Get it with: pip install -r requirements-cluster.txt"


class Listener:
    """One worker of the cluster: an actor on one core that keeps the network open."""

    def __init__(self, job: ScoringJob, labels: list[str]) -> None:
        torch.set_num_threads(1)
        self._job, self._labels = job, labels

    def __call__(self, batch: dict[str, Any]) -> pd.DataFrame:
        """Score the files of {"name": (file,) bytes}."""
        return make_table((self._job.score(os.fsdecode(name)) for name in batch["name"]), self._labels)


def score_archive_on_ray(job: ScoringJob, address: str | None = None, workers: int | None = None) -> pd.DataFrame:
    """Score every recording of the job's folder; Ray shows the progress.

    Args:
        job: How.
        address: Of a running cluster, such as "auto" or "10.0.0.1:6379"; one is started on this machine when left out.
        workers: Actors at most; one for each core when left out.

    Returns:
        The rows in the order of the files' names, as score_archive makes them.

    Raises:
        OSError: No cluster answers, or the folder cannot be read.
        ValueError: Ray is not installed, or the folder has no recordings.
    """
    try:
        import ray.data  # noqa: PLC0415 - optional, and seconds to import
    except ImportError as error:
        raise ValueError(MISSING) from error
    names = list_recordings(job.folder)
    labels = read_labels(job.network)
    _connect(address, workers)
    try:
        ray.data.DataContext.get_current().execution_options.preserve_order = True
        most = workers or int(ray.cluster_resources()["CPU"])
        files = [{"name": os.fsencode(name)} for name in names]  # bytes, for not every file's name is text
        blocks = max(ceil(len(files) / BLOCK), min(len(files), 2 * most))
        scored = ray.data.from_items(files, override_num_blocks=blocks).map_batches(
            Listener,
            fn_constructor_args=(_make_absolute(job), labels),
            batch_size=BLOCK,
            compute=ray.data.ActorPoolStrategy(size=min(most, blocks)),
            num_cpus=1,
        )
        return shape_table(scored.to_pandas(), labels)
    finally:
        ray.shutdown()


def _connect(address: str | None, workers: int | None) -> None:
    """Join a cluster, or start one that only this machine can reach."""
    import ray  # noqa: PLC0415

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    if address is None:
        ray.init(
            address="local",
            num_cpus=workers or cpu_count(),
            include_dashboard=False,
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
        )
        return
    package = {"py_modules": [str(Path(__file__).parent)]}
    try:
        ray.init(address=address, runtime_env=package, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise OSError(f"No Ray cluster answers at {address}. Start one with: ray start --head") from error


def _make_absolute(job: ScoringJob) -> ScoringJob:
    """Workers start in folders of their own."""
    return replace(job, folder=job.folder.resolve(), weights=job.weights and job.weights.resolve())
