"""Several processes that train one network together, as torchrun starts them; a process of its own is a team of one.

Each takes its share of every batch, and torch's DistributedDataParallel averages the gradients: through NCCL where each
has a GPU of its own, else through Gloo. Only the first of them scores and writes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn, ParamSpec, TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

Anything = TypeVar("Anything")
Asked = ParamSpec("Asked")

LOST = (
    "Another training process has ended, so this one stops. Networks that were finished are kept, and no half-written "
    "one is left. Give the same command again to go on."
)


class ProcessLost(RuntimeError):  # noqa: N818 - it says what happened
    """Another process of the team has ended; the message says how to go on."""


@dataclass(frozen=True)
class Team:
    """This process among those that train together.

    Attributes:
        rank: Its number, from 0 on.
        count: How many there are.
        local_rank: Its number among those on the same machine.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether it is the one that scores and writes."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Its GPU, shared when there are fewer than processes, or the CPU."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", self.local_rank % torch.cuda.device_count())

    def take_share(self, batch: Sequence[Anything]) -> list[Anything]:
        """Return this process's part of a batch; all parts together are the batch."""
        return list(batch[self.rank :: self.count])

    def share(self, network: nn.Module, score: Callable[Asked, Anything]) -> Callable[Asked, Anything]:
        """Return a network's method such that the gradients of what it gives are averaged over the team."""
        return score if self.count == 1 else DistributedDataParallel(_Method(network, score))

    def agree(self, answer: bool) -> bool:
        """Return the first process's answer, in every one of them."""
        if self.count == 1:
            return answer
        answers = [answer]
        distributed.broadcast_object_list(answers)
        return answers[0]

    def after_first(self, work: Callable[[], Anything]) -> Anything:
        """Let the first process work before the others, so that these find what it left in a cache."""
        if self.is_first:
            result = work()
            self._wait()
            return result
        self._wait()
        return work()

    def _wait(self) -> None:
        if self.count > 1:
            distributed.barrier()


ALONE = Team()


@contextmanager
def join_team() -> Iterator[Team]:
    """Join the processes that torchrun started, until the block ends.

    Raises:
        ProcessLost: Another one has ended meanwhile.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    team = Team(int(os.environ["RANK"]), count, int(os.environ["LOCAL_RANK"]))
    signal.signal(signal.SIGTERM, _stop)  # torchrun sends it to the others when it sees one end
    own_gpu = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    if own_gpu:
        torch.cuda.set_device(team.device)  # where NCCL gathers
    distributed.init_process_group("nccl" if own_gpu else "gloo")
    try:
        yield team
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error):
            raise ProcessLost(LOST) from error
        raise
    finally:
        distributed.destroy_process_group()


class _Method(nn.Module):
    """One method of a network as the forward pass of a module, which is what torch follows."""

    def __init__(self, network: nn.Module, method: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self.method = network, method

    def forward(self, *inputs: Any) -> Any:
        return self.method(*inputs)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise ProcessLost(LOST)
