"""Hints over HTTP: a real service on loopback, asked by many clients at once for a bounded time."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from rich.table import Table


@dataclass
class _Asked:
    """What the clients saw.

    Attributes
    ----------
    round_trip_ms, inside_ms : list of float
        Until the answer was read; the part of it between taking the question up and storing the answer.
    failures : int
        Answers other than 200.
    """

    round_trip_ms: list[float] = field(default_factory=list)
    inside_ms: list[float] = field(default_factory=list)
    failures: int = 0


def ask_service(texts: Sequence[str], *, seconds: float, clients: int) -> Table:
    """Ask a service with the sample library from ``clients`` clients, each waiting for its answer; return a table."""
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as (address, key):
        alone = asyncio.run(_ask(address, key, texts, seconds=min(5.0, seconds), clients=1))
        crowd = asyncio.run(_ask(address, key, texts, seconds=seconds, clients=clients))
    title = f"hints over HTTP, one service process with clients beside it, {seconds:g} s"
    columns = ("", "answers/s", "p50 ms", "p99 ms", "engine and store p50 ms", "p99 ms", "failures")
    table = Table(*columns, title=title)
    for name, asked, lasted in (("1 client", alone, min(5.0, seconds)), (f"{clients} clients", crowd, seconds)):
        figures = [*np.percentile(asked.round_trip_ms, [50, 99]), *np.percentile(asked.inside_ms, [50, 99])]
        shown = [f"{figure:.1f}" for figure in figures]
        table.add_row(name, f"{len(asked.round_trip_ms) / lasted:.0f}", *shown, str(asked.failures))
    return table


async def _ask(address: str, key: str, texts: Sequence[str], *, seconds: float, clients: int) -> _Asked:
    asked, until = _Asked(), time.monotonic() + seconds
    queue = itertools.cycle(texts)
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=30) as client:

        async def one_client() -> None:
            while time.monotonic() < until:
                begun = time.perf_counter()
                answer = await client.post("/v1/hints", json={"text": next(queue)})
                if answer.status_code != 200:
                    asked.failures += 1
                    continue
                asked.round_trip_ms.append((time.perf_counter() - begun) * 1000)
                asked.inside_ms.append(answer.json()["latency_ms"])

        await asyncio.gather(*(one_client() for _ in range(clients)))
    return asked


def print_prepared() -> None:
    """Fill the data folder that the environment names with the sample organisation, and print a key for it."""
    from api.first_run import prepare
    from api.services import wire
    from api.settings import load_settings

    services = wire(load_settings())
    key = prepare(services, lambda text: None).key
    services.hint_desk.engine()
    services.close()
    print(key)


@contextmanager
def _service(folder: Path) -> Iterator[tuple[str, str]]:
    """Run a service of its own over a new sample installation; yields its address and a key."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"FIELDWISE_DATA_FOLDER": str(folder), "FIELDWISE_PORT": str(port)}
    script = "from benchmarks.hint_load import print_prepared; print_prepared()"
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    child = subprocess.Popen([sys.executable, "-m", "api.cli", "serve"], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(address, child)
        yield address, told.stdout.splitlines()[-1]
    finally:
        child.terminate()
        child.wait(timeout=30)


def _wait_until_ready(address: str, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=2).json().get("hints", "ok") == "ok":
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.2)
    raise RuntimeError("the service did not start")
