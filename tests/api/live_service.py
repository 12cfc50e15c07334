"""A service for tests of the live channel, run as a program: ``live_service.py FOLDER PORT``.

It knows objections by a word (`tests.fake_coach`), so that it starts without an encoder. Beats and looks are quick.
"""

import sys
from pathlib import Path
from typing import Any

from api.app import create_app
from api.commands.service import run_service
from api.services import Services, wire
from api.settings import Settings
from tests.fake_coach import FakeHintDesk


def quick_settings(folder: Path, **changes: Any) -> Settings:
    """Return settings under which a test need not wait."""
    quick = {
        "live_cooldown_s": 1.0,
        "live_heartbeat_s": 0.3,
        "live_idle_s": 60,
        "live_conversations": 1000,
        "live_poll_s": 0.1,
        "live_origins": "https://app.example.com",
    }
    return Settings(data_folder=folder, **(quick | changes))


def fake_services(settings: Settings) -> Services:
    """Return services whose hints need no encoder."""
    services = wire(settings)
    services.hint_desk = FakeHintDesk()  # type: ignore[assignment]
    return services


if __name__ == "__main__":
    folder, port = sys.argv[1:]
    app = create_app(services=fake_services(quick_settings(Path(folder))), console=False)
    run_service(app, "127.0.0.1", int(port))
