"""A service and a worker of their own on the sample organisation, and a browser that goes nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

ARTEFACTS = Path(__file__).parent / "artefacts"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCREENS = {"phone": (390, 844), "desktop": (1280, 800)}
START_TIMEOUT_S = 60


def find_chromium() -> str | None:
    return os.environ.get("FIELDWISE_CHROMIUM") or shutil.which("chromium")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open a browser; where there is none they are skipped, all of a file in one line."""
    missing = pytest.mark.skip(reason="no Chromium: install the package chromium, or set FIELDWISE_CHROMIUM to it")
    for item in items:
        if isinstance(item, pytest.Function) and "visit" in item.fixturenames:
            item.add_marker(pytest.mark.browser)
            if find_chromium() is None:
                item.add_marker(missing)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    found = find_chromium()
    assert found is not None, "tests that need it are skipped without it"
    return found


@dataclass(frozen=True)
class Site:
    """A running installation: its address, the sample's password, a sign-in name for each role, its folder."""

    address: str
    password: str
    names: dict[str, str]
    folder: Path


@pytest.fixture(scope="session")
def site(prepared_folder: Path, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample organisation, served; the worker runs beside it."""
    folder = tmp_path_factory.mktemp("site") / "installation"
    shutil.copytree(prepared_folder, folder)
    way_in = json.loads((prepared_folder / "way-in.json").read_text(encoding="utf-8"))
    port = free_port()
    environment = os.environ | {
        "FIELDWISE_DATA_FOLDER": str(folder),
        "FIELDWISE_HOST": "127.0.0.1",
        "FIELDWISE_PORT": str(port),
        "FIELDWISE_WORKER_NAME": f"browser-tests-{port}",
    }
    address, log = f"http://127.0.0.1:{port}", folder / "output.log"
    with log.open("wb") as output:
        children = [
            subprocess.Popen([sys.executable, "-m", "api.cli", part], env=environment, stdout=output, stderr=output)
            for part in ("serve", "worker")
        ]
        try:
            wait_for(f"{address}/healthz", children, log)
            yield Site(address, way_in["password"], way_in["names"], folder)
        finally:
            stop(children)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, children: list[subprocess.Popen[bytes]], log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and all(child.poll() is None for child in children):
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(log.read_text(encoding="utf-8", errors="replace"))


def stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A running Chromium. Its driver keeps an event loop running in this thread, so it ends with its module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


class Visit:
    """One browser window of its own, and what went wrong in it or left this machine."""

    def __init__(self, browser: Browser, site: Site, screen: str) -> None:
        width, height = SCREENS[screen]
        phone = screen == "phone"
        self.site = site
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            has_touch=phone,
            is_mobile=phone,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.mishaps: list[str] = []
        self.strays: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.mishaps.append(str(error)))
        self.page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        # Chromium reports a page's own 401, 403 and 404 as errors; those answers are asked for.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.mishaps.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.site.address, "data:", "blob:")):
            self.strays.append(request.url)

    def open(self, path: str) -> int:
        """Open a page; return the status of the answer."""
        answer = self.page.goto(self.site.address + path)
        assert answer is not None
        return answer.status

    def sign_in(self, role: str, path: str = "/", *, password: str | None = None) -> None:
        self.open(path)
        self.page.get_by_label("用户名").fill(self.site.names[role])
        self.page.get_by_label("密码", exact=True).fill(password or self.site.password)
        self.page.get_by_role("button", name="登录").click()

    def shoot(self, name: str, *, whole: bool = False) -> None:
        """Keep a picture of the page as it stands."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=whole)


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open browser windows; afterwards none may have had an error in its console or asked another machine."""
    visits: list[Visit] = []

    def begin(screen: str = "desktop") -> Visit:
        visits.append(Visit(browser, site, screen))
        return visits[-1]

    yield begin
    for one in visits:
        one.context.close()
        assert one.mishaps == []
        assert one.strays == []
