"""The whole application over the sample installation, with one client a role, and a worker for its jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.job_handlers import job_handlers
from api.jobs import Worker, WorkerSettings, jobs_database_url
from api.services import Services, wire
from api.settings import Settings

Client = Callable[[str], TestClient]


@pytest.fixture(scope="module")
def services(installation: Path) -> Iterator[Services]:
    services = wire(Settings(data_folder=installation, max_body_bytes=300_000, live_stream_s=0.2))
    yield services
    services.close()


@pytest.fixture(scope="module")
def anonymous(services: Services) -> Iterator[TestClient]:
    """A client that has not signed in."""
    app = create_app(services=services, console=False)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def password(installation: Path) -> str:
    return (installation / "sample-password").read_text().strip()


@pytest.fixture(scope="module")
def signed_in(anonymous: TestClient, services: Services, password: str) -> Client:
    """A function from a role to a client that is signed in as the first person of that role."""
    from operations import people

    with services.database.read() as session:
        names = {card.role: card.code for card in people.first_of_each_role(session)}
    clients: dict[str, TestClient] = {}

    def client(role: str) -> TestClient:
        if role not in clients:
            answer = anonymous.post("/v1/sign-in", json={"name": names[role], "password": password})
            assert answer.status_code == 200, answer.text
            headers = {"Authorization": f"Bearer {answer.json()['token']}", "Accept-Language": "en"}
            clients[role] = TestClient(anonymous.app, headers=headers, raise_server_exceptions=False)
        return clients[role]

    return client


@pytest.fixture(scope="module")
def worker(services: Services) -> Iterator[Worker]:
    """A worker for the jobs of the installation."""
    worker = Worker(
        jobs_database_url(services.database.url), job_handlers(services), settings=WorkerSettings(name="test")
    )
    worker.start()
    yield worker
    worker.stop()
