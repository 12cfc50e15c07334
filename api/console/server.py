"""How the pages hang on the application: NiceGUI's settings, where its files lie, which paths are its own."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui
from nicegui.storage import Storage
from starlette.routing import Match, Mount
from starlette.types import Scope

from api.console import ASSETS
from api.services import Services

ACCENT = "#0b6b62"
RED = "#b3261e"
COOKIE_MAX_AGE_S = 14 * 24 * 3600
API_PATHS = frozenset({"v1", "docs", "openapi.json", "healthz", "readyz", "metrics"})
"""How paths of the API begin: these get the API's own answers to wrong paths and methods, never a page."""


def attach(app: FastAPI, services: Services) -> None:
    """Mount the registered pages on ``app``."""
    settings = services.settings
    # What a visitor's session holds (a token of some minutes) stays on the server, where only its owner can read it.
    Storage.path = (settings.data_folder / "console").absolute()
    Storage.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    pages.add_static_files(asset_folder(), ASSETS, max_cache_age=365 * 24 * 3600)
    pages.colors(primary=ACCENT, secondary=ACCENT, accent=ACCENT, positive=ACCENT, negative=RED, dark="#17211f")
    ui.run_with(
        app,
        title="Fieldwise",
        favicon=ASSETS / "favicon.svg",
        language="zh-CN",
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=20,
        storage_secret=cookie_secret(settings.signing_secret),
        session_middleware_kwargs={"same_site": "lax", "max_age": COOKIE_MAX_AGE_S},
        show_welcome_message=False,
    )
    mounted = app.router.routes.pop()
    assert isinstance(mounted, Mount), "run_with ends by mounting its pages"
    app.router.routes.append(_Pages(mounted))


def cookie_secret(signing_secret: str) -> str:
    """Return the key that signs session cookies: derived, so that a cookie never passes for a session token."""
    return hmac.new(signing_secret.encode(), b"console cookies", hashlib.sha256).hexdigest()


@cache
def asset_folder() -> str:
    """Return the address of the console's own files; it changes with them, so that browsers may keep them for long."""
    content = b"".join(path.read_bytes() for path in sorted(ASSETS.iterdir()))
    return f"/console-assets/{hashlib.sha256(content).hexdigest()[:12]}"


class _Pages(Mount):
    """NiceGUI's mount, which takes every path, without those of the API."""

    def __init__(self, mounted: Mount) -> None:
        super().__init__("/", app=mounted.app)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match everything that does not begin like the API."""
        if str(scope.get("path", "")).strip("/").split("/")[0] in API_PATHS:
            return Match.NONE, {}
        return super().matches(scope)
