"""Fills the data folder that the environment names with the sample organisation; prints how to sign in, as JSON."""

from __future__ import annotations

import json

from api.first_run import prepare
from api.services import wire
from api.settings import load_settings

if __name__ == "__main__":
    services = wire(load_settings())
    way_in = prepare(services, lambda text: None)
    services.hint_desk.engine()  # builds the index, which the service then only reads
    services.close()
    print(json.dumps({"password": way_in.password, "names": {card.role: card.code for card in way_in.people}}))
