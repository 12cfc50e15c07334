"""``fieldwise up``: everything on one machine, service and worker together."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from api.commands.terminal import fail, say
from common.errors import FieldwiseError, NotReady, Text, Unavailable

if TYPE_CHECKING:
    from api.first_run import WayIn
    from api.services import Services
    from api.settings import Settings

START_TIMEOUT_S = 300


def up() -> None:
    """Set up what is missing, then run service and worker until Ctrl-C."""
    from api.settings import load_settings

    children = Children()
    try:
        settings = load_settings()
        check_port(settings)
        check_folder(settings)
        signal.signal(signal.SIGTERM, _interrupt)
        start_everything(settings, children)
        children.wait_for_one_to_end()
    except FieldwiseError as error:
        children.stop()
        fail(error)
    except KeyboardInterrupt:
        typer.echo("")
    finally:
        children.stop()


def start_everything(settings: Settings, children: Children) -> None:
    """Prepare the installation, start service and worker, and print how to get in.

    A service takes seconds to load, so where nothing is left to prepare it is started at once, beside the look at what
    is there. The worker comes last: the first answer matters more than the first job.
    """
    prepared = settings.data_folder / "prepared"
    early = prepared.exists() and prepared.read_text(encoding="utf-8") == release()
    if early:
        children.start("serve")
    from api.first_run import measure_first_model, prepare
    from api.services import wire

    services = wire(settings)
    way_in = prepare(services, lambda text: typer.echo(say(text)))
    prepared.write_text(release(), encoding="utf-8")
    first_index = not settings.index_folder.exists()
    if not early:
        services.database.close()
        children.start("serve")
    if first_index:
        typer.echo(say(Text("Building the hint index …", "正在建立话术索引……")))
    # The first index takes a while, and the lines in the banner are to work at once; later starts need not wait.
    wait_until_ready(settings, children, "/readyz" if first_index else "/healthz")
    children.start("worker")
    typer.echo(banner(services, way_in))
    measure_first_model(services)
    services.close()


def release() -> str:
    """Return a text that changes with the version and with every migration."""
    folder = Path(__file__).parents[2] / "operations/store/migrations/versions"
    newest = max((file.name for file in folder.glob("*.py")), default="")
    return f"{version('fieldwise')} {newest}\n"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Children:
    """The processes of this installation, started and stopped together."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, command: str) -> None:
        """Start ``fieldwise <command>`` as a process of its own."""
        self._running[command] = subprocess.Popen([sys.executable, "-m", "api.cli", command])

    def ended(self) -> str | None:
        """Return the command of a process that ended, if one did."""
        return next((name for name, process in self._running.items() if process.poll() is not None), None)

    def wait_for_one_to_end(self) -> None:
        """Wait as long as all processes run.

        Raises
        ------
        Unavailable
            When one ends.
        """
        while self.ended() is None:
            time.sleep(0.3)
        name = self.ended()
        raise Unavailable(Text(f"the {name} process ended; see the lines above", f"{name} 进程已退出，请看上面的输出"))

    def stop(self) -> None:
        """Ask all processes to end, and end those that do not."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def check_port(settings: Settings) -> None:
    """Make sure that the port is free.

    Raises
    ------
    Unavailable
        When something listens there already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise
            place, other = f"{settings.host}:{settings.port}", settings.port + 1
            raise Unavailable(
                Text(
                    f"{place} cannot be used ({error.strerror}): stop what listens there, or choose another port: "
                    f"make run FIELDWISE_PORT={other}",
                    f"{place} 无法使用（{error.strerror}）：请停止占用它的程序，或换一个端口："
                    f"make run FIELDWISE_PORT={other}",
                )
            ) from error


def check_folder(settings: Settings) -> None:
    """Make sure that files can be kept.

    Raises
    ------
    Unavailable
        When the data folder cannot be made or written to, or the disk is full.
    """
    probe = settings.data_folder / ".can-write"
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        folder = settings.data_folder
        raise Unavailable(
            Text(
                f"nothing can be kept in {folder} ({error.strerror}): free some disk space, mend its rights, or set "
                "FIELDWISE_DATA_FOLDER",
                f"无法写入 {folder}（{error.strerror}）：请清理磁盘、修正权限，或设置 FIELDWISE_DATA_FOLDER",
            )
        ) from error


def wait_until_ready(settings: Settings, children: Children, path: str) -> None:
    """Wait until the service answers at ``path``.

    Raises
    ------
    NotReady
        When a process ends before that, or five minutes pass.
    """
    address = f"http://{settings.host}:{settings.port}{path}"
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and children.ended() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise NotReady(Text("the service did not start; see the lines above", "服务未能启动，请看上面的输出"))


def banner(services: Services, way_in: WayIn) -> str:
    """Return what a new user needs: addresses, sign-in names, and three lines to paste."""
    settings = services.settings
    base = f"http://{settings.host}:{settings.port}"
    lines = [
        "",
        f"  Fieldwise  {base}",
        say(Text(f"  API docs   {base}/docs", f"  接口文档   {base}/docs")),
        "",
    ]
    if way_in.password:
        lines.append(
            say(Text(f"  Sign in with password {way_in.password} as", f"  登录密码 {way_in.password}，用户名："))
        )
        lines += [f"    {card.role:<16}{card.code:<16}{card.name}" for card in way_in.people]
        lines.append("")
    if way_in.key:
        lines.append(say(Text("  Three lines to paste:", "  三条可直接粘贴的命令：")))
        lines += ["", *curl_lines(services, base, way_in)]
    lines += ["", say(Text("  Ctrl-C stops it.", "  按 Ctrl-C 停止。")), ""]
    return "\n".join(lines)


def curl_lines(services: Services, base: str, way_in: WayIn) -> list[str]:
    """Return one ``curl`` line each for a hint, a day plan and a forecast."""
    from operations import people

    with services.database.read() as session:
        region = people.regions(session)[0].code
    services.database.close()
    tomorrow = services.today() + timedelta(days=1)
    head = f"-H 'Authorization: Bearer {way_in.key}'"
    post = f"curl -s {head} -H 'Content-Type: application/json'"
    question = '{"text": "隔壁家同款便宜两百块"}'
    day = f'{{"region": "{region}", "plan_date": "{tomorrow}", "time_limit_s": 5}}'
    return [
        f"{post} {base}/v1/hints -d '{question}'",
        "",
        f"{post} -H 'Prefer: wait=15' {base}/v1/route-plans -d '{day}'",
        "",
        f"curl -s {head} '{base}/v1/forecasts?region={region}&days=3'",
    ]
