"""Makes the small extract and the customers of the tests: ``python tests/routing/cut_andorra.py ANDORRA.osm.pbf``.

The extract has the streets of the capital and what they need, nothing else. The customers are invented; each stands
beside a real street, 10 to 25 m away from it.
"""

import csv
import math
import random
import sys
from pathlib import Path

import osmium

WEST, SOUTH, EAST, NORTH = 1.500, 42.490, 1.550, 42.525
HERE = Path(__file__).parent
TOWN = (1.512, 42.500, 1.545, 42.516)
METRES_A_DEGREE = 111_195.0


def inside(longitude, latitude, west, south, east, north):
    return west <= longitude <= east and south <= latitude <= north


def streets(source):
    ways = osmium.FileProcessor(source).with_locations().with_filter(osmium.filter.KeyFilter("highway"))
    for way in ways:
        if way.is_way() and any(
            inside(node.lon, node.lat, WEST, SOUTH, EAST, NORTH) for node in way.nodes if node.location.valid()
        ):
            yield way


def cut(source):
    target = HERE / "andorra_la_vella.osm.pbf"
    plain = osmium.io.File(str(target), "pbf,add_metadata=false")  # who drew what and when is not needed
    with osmium.BackReferenceWriter(plain, source, overwrite=True, remove_tags=False, relation_depth=0) as writer:
        for way in streets(source):
            writer.add_way(way)
    return target


def customers(source, count=40, seed=20261125):
    dice = random.Random(seed)
    drivable = {"primary", "secondary", "tertiary", "unclassified", "residential", "living_street"}
    legs = [
        (way.tags["name"], (one.lat, one.lon), (other.lat, other.lon))
        for way in streets(source)
        if "name" in way.tags and way.tags["highway"] in drivable
        for one, other in zip(list(way.nodes)[:-1], list(way.nodes)[1:], strict=True)
        if inside(one.lon, one.lat, *TOWN) and inside(other.lon, other.lat, *TOWN)
    ]
    for number in range(1, count + 1):
        street, (lat1, lon1), (lat2, lon2) = dice.choice(legs)
        share, away_m = dice.random(), dice.choice([-1, 1]) * dice.uniform(10, 25)
        narrow = math.cos(math.radians(lat1))
        north, east = lat2 - lat1, (lon2 - lon1) * narrow
        length = math.hypot(north, east) or 1.0
        latitude = lat1 + share * (lat2 - lat1) + away_m / METRES_A_DEGREE * east / length
        longitude = lon1 + share * (lon2 - lon1) - away_m / METRES_A_DEGREE * north / length / narrow
        yield f"C{number:02}", f"{street}, customer {number}", round(latitude, 6), round(longitude, 6)


if __name__ == "__main__":
    extract = cut(sys.argv[1])
    with (HERE / "andorra_customers.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["id", "name", "latitude", "longitude"])
        lines.writerows(customers(str(extract)))
