"""Requests under way: one at a time in all, and whoever wants the same page waits for the same answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Generic, TypeVar

from scraper.errors import ImdbUnavailable
from scraper.transport import Deadline

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flight(Generic[T]):
    """A request under way: what for, until when its answer is waited for, and the answer to come."""

    address: str
    deadline: Deadline
    future: Future[T] = field(default_factory=Future)


class Flights(Generic[T]):
    """The one request under way, if any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: Flight[T] | None = None

    def join(self, address: str, deadline: Deadline, fetch: Callable[[], T]) -> Flight[T]:
        """Return the request for an address, starting it if nothing is under way.

        Raises:
            ImdbUnavailable: while another request is under way.
        """
        with self._lock:
            flight = self._under_way
            if flight:
                if flight.address == address:
                    return flight
                raise ImdbUnavailable("IMDb is being asked for somebody else at this moment")
            flight = self._under_way = Flight(address, deadline)
        # A daemon, because a resolver or a trickle of headers can outlast any deadline set from here.
        Thread(target=self._fly, args=(flight, fetch), daemon=True).start()
        return flight

    def _fly(self, flight: Flight[T], fetch: Callable[[], T]) -> None:
        try:
            answer = fetch()
        except Exception as error:  # noqa: BLE001  every waiting thread raises it again
            self._land()
            flight.future.set_exception(error)
        else:
            self._land()
            flight.future.set_result(answer)

    def _land(self) -> None:
        with self._lock:
            self._under_way = None
