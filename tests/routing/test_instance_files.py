"""Solomon and VRPLIB files are read as their formats say, and a wrong line is named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from routing.instances.solomon import read_solomon
from routing.instances.vrplib import read_vrplib
from tests.routing.instance_texts import CVRP, DEPOTS, PRIZES, SOLOMON, VRPTW


def test_a_solomon_file_gives_nodes_windows_and_vehicles():
    plain = read_solomon(SOLOMON)
    assert plain.kind == "VRPTW"
    assert plain.labels == ("0", "1", "2", "3")
    assert plain.demand.tolist() == [0, 10, 10, 10]
    assert plain.windows[2].tolist() == [50, 100]
    assert plain.service.tolist() == [0, 10, 10, 10]
    assert [vehicle.capacity for vehicle in plain.vehicles] == [20, 20]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", "not a Solomon file"),
        ("hello", "not a Solomon file"),
        (SOLOMON.replace("3      0 ", "3      x "), "row 13"),
        (SOLOMON[: SOLOMON.index("    1 ")], "no customers"),
        (SOLOMON + "\n 4 5\n", "row 15"),
        (SOLOMON.replace("  2          20", "  2.5        20"), "row 5"),
        (SOLOMON.replace("    2      1", "    1      1"), "customer 1 stands twice"),
        (SOLOMON.replace(" 50        100", "150        100"), "row 12"),
        (SOLOMON.replace("4         10          0", "4        -10          0"), "row 11"),
    ],
)
def test_what_is_wrong_in_a_solomon_file_is_named(content, place):
    with pytest.raises(InvalidInput, match=place):
        read_solomon(content)


def test_a_cvrp_file_without_vehicles_has_as_many_as_could_be_of_use():
    plain = read_vrplib(CVRP)
    assert plain.kind == "CVRP"
    assert plain.unlimited
    # 18 units at 10 a vehicle: of two rounds of 5 units or less one round would be made.
    assert len(plain.vehicles) == 4
    assert plain.windows is None
    assert not plain.has_clock
    assert plain.depots == (0,)
    assert plain.customers == [1, 2, 3, 4]
    assert plain.distances()[0, 1] == pytest.approx(5)


def test_a_vrptw_file_may_have_one_service_time_for_all_customers():
    plain = read_vrplib(VRPTW)
    assert plain.kind == "VRPTW"
    assert plain.service.tolist()[1:] == [10, 10, 10]
    assert plain.windows[2].tolist() == [50, 100]
    assert not plain.unlimited
    assert len(plain.vehicles) == 2


def test_a_prize_of_zero_means_that_the_customer_must_be_served():
    plain = read_vrplib(PRIZES)
    assert plain.kind == "PCVRPTW"
    assert plain.prize.tolist() == [0, 0, 15, 25, 80]
    assert plain.distances()[0, 4] == 50


def test_vehicles_belong_to_the_depots_that_the_file_gives_them():
    plain = read_vrplib(DEPOTS)
    assert plain.kind == "MDVRPTW"
    assert plain.depots == (0, 1)
    assert [vehicle.depot for vehicle in plain.vehicles] == [0, 0, 1]
    assert plain.customers == [2, 3, 4]


def test_vehicles_may_differ_in_capacity_limits_fixed_cost_and_customers():
    more = (
        "CAPACITY_SECTION\n1 7\n2 8\n3 9\nVEHICLES_MAX_DISTANCE_SECTION\n1 30\n2 30\n3 30\n"
        "VEHICLES_FIXED_COST_SECTION\n1 1\n2 2\n3 3\nVEHICLES_ALLOWED_CLIENTS_SECTION\n1 3\n2 3 4\n3 3 4 5\n"
        "VEHICLES_UNIT_DISTANCE_COST_SECTION\n1 1\n2 1\n3 1\n"
    )
    plain = read_vrplib(DEPOTS.replace("CAPACITY : 10\n", "").replace("EOF", more))
    assert [vehicle.capacity for vehicle in plain.vehicles] == [7, 8, 9]
    assert [vehicle.max_distance for vehicle in plain.vehicles] == [30, 30, 30]
    assert [vehicle.fixed_cost for vehicle in plain.vehicles] == [1, 2, 3]
    assert plain.vehicles[1].allowed == {2, 3}


def test_rows_may_come_in_any_order_and_nodes_may_count_from_zero():
    swapped = CVRP.replace("2 6\n3 3\n", "3 3\n2 6\n")
    assert read_vrplib(swapped).demand.tolist() == read_vrplib(CVRP).demand.tolist()
    zero = re.sub(r"(?m)^(\d) ", lambda found: f"{int(found[1]) - 1} ", CVRP).replace(" 1\n -1", " 0\n -1")
    assert read_vrplib(zero).labels == ("0", "1", "2", "3", "4")
    assert read_vrplib(zero).depots == (0,)


FULL = [[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]]
EXPLICIT = """DIMENSION : 4
VEHICLES : 1
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : {form}
EDGE_WEIGHT_SECTION
{numbers}
EOF
"""


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("FULL_MATRIX", "0 1 2 3\n1 0 4 5\n2 4 0 6\n3 5 6 0"),
        ("LOWER_ROW", "1\n2 4\n3 5 6"),
        ("LOWER_DIAG_ROW", "0\n1 0\n2 4 0\n3 5 6 0"),
        ("UPPER_ROW", "1 2 3\n4 5\n6"),
        ("UPPER_ROW", "1 2\n3 4 5 6"),
        ("UPPER_DIAG_ROW", "0 1 2 3\n0 4 5\n0 6\n0"),
        ("UPPER_COL", "1\n2 4\n3 5 6"),
        ("LOWER_COL", "1 2 3\n4 5\n6"),
        ("UPPER_DIAG_COL", "0\n1 0\n2 4 0\n3 5 6 0"),
        ("LOWER_DIAG_COL", "0 1 2 3\n0 4 5\n0 6\n0"),
    ],
)
def test_every_matrix_format_gives_the_same_distances(form, numbers):
    assert read_vrplib(EXPLICIT.format(form=form, numbers=numbers)).distances().tolist() == FULL


def test_a_full_matrix_may_be_asymmetric():
    text = EXPLICIT.format(form="FULL_MATRIX", numbers="0 9 2 3\n1 0 4 5\n2 4 0 6\n3 5 6 0")
    distances = read_vrplib(text).distances()
    assert (distances[0, 1], distances[1, 0]) == (9, 1)


def _swap(old: str, new: str, text: str = VRPTW) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("hello", "row 1"),
        ("NAME : x\nNODE_COORD_SECTION\n1 0 0\n", "no DIMENSION"),
        (_swap("DIMENSION: 4", "DIMENSION: four"), "row 3, DIMENSION"),
        (_swap("DIMENSION: 4", "DIMENSION: 1"), "row 3, DIMENSION"),
        (_swap("DIMENSION: 4", "DIMENSION: 5"), "row 9, NODE_COORD_SECTION: has 4 rows"),
        (_swap("VEHICLES: 2", "VEHICLES: 1.5"), "row 4, VEHICLES"),
        (_swap("CAPACITY: 20", "CAPACITY: -1"), "row 5, CAPACITY"),
        (_swap("CAPACITY: 20", "VEHICLES: 3"), "row 5, VEHICLES: this key stands twice"),
        (_swap("EUC_2D", "GEO"), "row 7, EDGE_WEIGHT_TYPE"),
        (_swap("TYPE: VRPTW", "TYPE: VRPB"), "row 2, TYPE"),
        (_swap("2\t3\t4", "2\t3\tx"), "row 11, NODE_COORD_SECTION: 'x' is not a number"),
        (_swap("2\t3\t4", "2\t3\tnan"), "row 11"),
        (_swap("2\t3\t4", "2\t3"), "row 11, NODE_COORD_SECTION: must have 2 numbers"),
        (_swap("3\t1\t1", "2\t1\t1"), "row 12, NODE_COORD_SECTION: node 2 stands twice"),
        (_swap("3\t10\n", "7\t10\n"), "row 17, DEMAND_SECTION: there is no node 7"),
        (_swap("4\t10\n", ""), "row 14, DEMAND_SECTION: node 4 is missing"),
        (_swap("2\t10\n", "2\t-1\n"), "row 16, DEMAND_SECTION: must not be negative"),
        (_swap("3\t50\t100", "3\t150\t100"), "row 22, TIME_WINDOW_SECTION: the window ends"),
        (_swap("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n9\n"), "row 25, DEPOT_SECTION: there is no node 9"),
        (_swap("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n-1\n"), "row 24, DEPOT_SECTION: names no depot"),
        (_swap("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1\n1\n"), "row 26, DEPOT_SECTION: depot 1 stands twice"),
        (_swap("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1\n2\n3\n4\n"), "no customers"),
        (_swap("EOF", "DEMAND_SECTION\n1 0\n"), "row 26, DEMAND_SECTION: this section stands twice"),
        (_swap("EOF", "RELEASE_TIME_SECTION\n1 0\n"), "row 26, RELEASE_TIME_SECTION: this section is not supported"),
        (_swap("EOF", "SERVICE_TIME_SECTION\n1 0\n"), "row 26, SERVICE_TIME_SECTION: stands as a key too"),
        (
            _swap("1 1\n2 1\n3 2", "1 1\n2 1\n3 3", DEPOTS),
            "row 38, VEHICLES_DEPOT_SECTION: must name one of the depots",
        ),
        (_swap("1 1\n2 1\n3 2", "1 1\n2 1", DEPOTS), "row 35, VEHICLES_DEPOT_SECTION: has 2 rows for 3 vehicles"),
        (_swap("1 1\n2 1\n3 2", "1 1\n3 1\n2 2", DEPOTS), "row 37, VEHICLES_DEPOT_SECTION: must be the row of"),
        (_swap("VEHICLES : 3", "VEHICLES : 3\nVEHICLES_UNIT_DISTANCE_COST : 2", DEPOTS), "row 6"),
        (_swap("FULL_MATRIX", "SPIRAL", PRIZES), "row 4, EDGE_WEIGHT_FORMAT: must be one of FULL_MATRIX"),
        (_swap("10 0 10 10 50\n", "10 0 10 10\n", PRIZES), "row 7, EDGE_WEIGHT_SECTION: has 24 numbers"),
        (_swap("10 0 10 10 50\n", "10 0 10 -1 50\n", PRIZES), "row 9, EDGE_WEIGHT_SECTION"),
        (_swap("EDGE_WEIGHT_FORMAT : FULL_MATRIX\n", "", PRIZES), "needs EDGE_WEIGHT_FORMAT"),
        ("DIMENSION : 2\nEDGE_WEIGHT_TYPE : EUC_2D\nDEMAND_SECTION\n1 0\n2 1\n", "no NODE_COORD_SECTION"),
    ],
)
def test_what_is_wrong_in_a_vrplib_file_is_named(content, place):
    with pytest.raises(InvalidInput) as caught:
        read_vrplib(content)
    (field, *_) = (*caught.value.fields, None)
    told = caught.value.text.en if field is None else f"{field.pointer}: {field.text.en}"
    assert place in told


numbers = st.integers(0, 10_000)


@st.composite
def written(draw):
    """A random instance and its text."""
    size = draw(st.integers(2, 8))
    rows = [[draw(numbers) for _ in range(5)] for _ in range(size)]
    windows = [sorted(draw(st.tuples(numbers, numbers))) for _ in range(size)]
    lines = [f"DIMENSION : {size}", f"VEHICLES : {draw(st.integers(1, 5))}", "CAPACITY : 50", "NODE_COORD_SECTION"]
    lines += [f"{n + 1} {row[0]} {row[1] / 8}" for n, row in enumerate(rows)]
    for name, column in (("DEMAND", 2), ("SERVICE_TIME", 3), ("PRIZE", 4)):
        lines += [f"{name}_SECTION", *(f"{n + 1} {row[column]}" for n, row in enumerate(rows))]
    lines += ["TIME_WINDOW_SECTION", *(f"{n + 1}\t{early}\t{late}" for n, (early, late) in enumerate(windows)), "EOF"]
    return rows, windows, draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@given(written())
def test_what_is_written_is_read_again(case):
    rows, windows, text = case
    plain = read_vrplib(text)
    assert plain.plane.tolist() == [[row[0], row[1] / 8] for row in rows]
    assert plain.demand.tolist() == [row[2] for row in rows]
    assert plain.service.tolist() == [row[3] for row in rows]
    assert plain.prize.tolist() == [row[4] for row in rows]
    assert plain.windows.tolist() == windows
    assert len(plain.vehicles) == int(re.search(r"VEHICLES : (\d)", text)[1])
