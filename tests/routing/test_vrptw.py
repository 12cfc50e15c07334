"""Benchmark files in Solomon's format are read in the DIMACS convention and solved with the product's engine."""

import pytest

from common.errors import InvalidInput
from routing.vrptw import bench, read_solomon

SMALL = """SMALL

VEHICLE
NUMBER     CAPACITY
  2          20

CUSTOMER
CUST NO.   XCOORD.   YCOORD.    DEMAND   READY TIME   DUE DATE   SERVICE TIME

    0      0         0          0          0        200          0
    1      3         4         10          0        100         10
    2      1         1         10         50        100         10
    3      0         9         10          0        100         10
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "SMALL.txt").write_text(SMALL)
    (tmp_path / "best.csv").write_text("instance,best_known_distance,proven_optimal\nSMALL,20.8,1\n")
    return tmp_path


def test_distances_are_truncated_to_one_decimal():
    problem, table = read_solomon(SMALL.encode())
    assert len(problem.visits) == 3
    assert len(problem.reps) == 2
    assert table.distance_m[0, 1] == 36  # the root of 13 is 3.605…
    assert table.distance_m[1, 3] == 14
    assert table.distance_m[3, 4] == 0  # the depot, for both vehicles
    assert problem.visits[1].windows[0].start_s == 500
    assert problem.visits[1].service_s == 100
    assert problem.reps[0].capacity == 20


def test_a_run_reports_distance_gap_and_means_by_time(folder):
    result = bench(folder, [1.5], folder / "best.csv")
    (run,) = result["runs"]
    # Customers 1 and 3 together (5.0 + 5.8 + 9.0), customer 2 alone (2 × 1.4).
    assert run["distance"] == pytest.approx(22.6)
    assert run["feasible"]
    assert run["gap_percent"] == pytest.approx(100 * (22.6 / 20.8 - 1), abs=1e-3)
    assert run["wall_s"] > 0
    assert result["mean_gap_percent"] == {"1.5": run["gap_percent"]}


def test_without_best_distances_there_is_no_gap(folder):
    result = bench(folder, [0.5], instances=["SMALL"])
    assert result["runs"][0]["best"] is None
    assert result["mean_gap_percent"] == {"0.5": None}


@pytest.mark.parametrize(
    "content",
    ["", "hello", SMALL.replace("3      0 ", "3      x "), SMALL[: SMALL.index("    1 ")], SMALL + "\n 4 5\n"],
)
def test_other_files_are_refused(content):
    with pytest.raises(InvalidInput):
        read_solomon(content.encode())


def test_missing_instances_and_wrong_tables_of_best_distances_are_refused(folder):
    with pytest.raises(InvalidInput, match="R999"):
        bench(folder, [1], instances=["R999"])
    (folder / "best.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="best_known_distance"):
        bench(folder, [1], folder / "best.csv")
