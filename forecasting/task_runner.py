"""Where the independent parts of training and scoring are worked on: in this process, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from common.errors import Text, Unavailable

_START_TIMEOUT_S = 10


class TaskRunner(Protocol):
    """Calls one function with many arguments; the order of the results is that of the tasks."""

    def run(self, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterable[Any]:
        """Return ``function(*task)`` for each of ``tasks``."""
        ...


class HereRunner:
    """Works on one task after the other, so that only one is in memory."""

    def run(self, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield ``function(*task)`` for each of ``tasks``."""
        return (function(*task) for task in tasks)


HERE = HereRunner()


class DaskRunner:
    """Spreads tasks over the workers of a Dask cluster (``pip install fieldwise[cluster]``).

    Parameters
    ----------
    scheduler : str
        Address of the scheduler (``tcp://10.0.0.5:8786``).

    Raises
    ------
    Unavailable
        When ``dask[distributed]`` is not installed, or no scheduler answers at the address.
    """

    def __init__(self, scheduler: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            text = Text(
                "a Dask cluster needs the package dask[distributed]: pip install fieldwise[cluster]",
                "使用 Dask 集群需要 dask[distributed]：pip install fieldwise[cluster]",
            )
            raise Unavailable(text) from error
        try:
            connect: Callable[..., Any] = Client  # distributed comes without types
            self._client = connect(scheduler, timeout=_START_TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            text = Text(f"no Dask scheduler answers at {scheduler}", f"{scheduler} 没有 Dask 调度器响应")
            raise Unavailable(text) from error

    def run(self, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield ``function(*task)`` for each of ``tasks``, in their order, each once its worker has finished."""
        # Impure: Dask would otherwise hash every argument, and large ones twice.
        futures = [self._client.submit(function, *task, pure=False) for task in tasks]
        while futures:
            yield futures.pop(0).result()

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()


def runner_for(scheduler: str | None) -> TaskRunner:
    """Return the runner of the one setting: a Dask scheduler's address, or ``None`` for this process."""
    return HERE if scheduler is None else DaskRunner(scheduler)
