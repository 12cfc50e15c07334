"""The console: web pages on the same application and port as the HTTP interface, one file a page.

NiceGUI is imported when the pages are mounted, so that importing this package is cheap. NiceGUI keeps its pages for
the whole process: one process has one console.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.services import Services

ASSETS = Path(__file__).parent / "assets"


def mount(app: FastAPI, services: Services) -> None:
    """Put the console's pages under ``/``; paths that begin like the API's stay with ``app``.

    Must be called after all other routes were added.

    Parameters
    ----------
    app : FastAPI
        Gets the pages, and NiceGUI's start and stop in its lifespan.
    services : Services
        What the pages work with.
    """
    from api.console import forecast, frame, hint, plan, server, sign_in

    for page in (sign_in, hint, plan, forecast, frame):
        page.register(services)
    server.attach(app, services)
