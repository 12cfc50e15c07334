"""The benchmark solves a folder of files, has every plan checked, and reports gaps by run, class and time."""

import pytest

from common.errors import InvalidInput
from routing.instances.bench import BenchOptions, bench, class_of
from tests.routing.instance_texts import CVRP, DEPOTS, PRIZES, SOLOMON, VRPTW


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "SMALL1.txt").write_text(SOLOMON)
    (tmp_path / "readme.txt").write_text("Instances made by hand.\n")
    (tmp_path / "best.csv").write_text("instance,best_known_distance,proven_optimal\nSMALL1,20.8,1\n")
    return tmp_path


def test_a_run_reports_distance_gap_and_means_by_time(folder):
    result = bench(folder, BenchOptions([1.5], folder / "best.csv"))
    (run,) = result["runs"]
    # Customers 1 and 3 together (5.0 + 5.8 + 9.0), customer 2 alone (2 × 1.4).
    assert run["distance"] == pytest.approx(22.6)
    assert run["feasible"]
    gap = pytest.approx(100 * (22.6 / 20.8 - 1), abs=1e-3)
    assert run["gap_percent"] == gap
    assert run["wall_s"] > 0
    assert result["mean_gap_percent"] == {"1.5": gap}
    assert result["worst_gap_percent"] == {"1.5": gap}
    assert result["by_class"] == {"1.5": {"SMALL1": gap}}


def test_without_best_distances_there_is_no_gap(folder):
    result = bench(folder, BenchOptions([0.5], instances=["SMALL1"]))
    assert result["runs"][0]["best"] is None
    assert result["mean_gap_percent"] == {"0.5": None}


def test_each_kind_of_file_is_solved_and_compared_with_the_solution_beside_it(folder):
    for name, text, solution in (
        ("tiny-n5", CVRP, "Route #1: 1 3\nRoute #2: 2 4\nCost 34\n"),
        ("late1", VRPTW, "Route #1: 1 3\nRoute #2: 2\nCost 22.6\n"),
        ("prizes", PRIZES, "Cost 100\n"),
        ("depots", DEPOTS, "Route #1: 1\nRoute #3: 2 3\nCost 8\n"),
    ):
        (folder / f"{name}.vrp").write_text(text)
        (folder / f"{name}.sol").write_text(solution)
    seen = []
    options = BenchOptions([0.6], instances=["tiny-n5", "late1", "prizes", "depots"])
    result = bench(folder, options, lambda done, total, run: seen.append((done, total, run["instance"])))
    runs = {run["instance"]: run for run in result["runs"]}
    assert [(done, total) for done, total, _ in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(run["feasible"] for run in runs.values())
    assert {name: run["kind"] for name, run in runs.items()} == {
        "tiny-n5": "CVRP", "late1": "VRPTW", "prizes": "PCVRPTW", "depots": "MDVRPTW"
    }  # fmt: skip
    assert {name: run["best"] for name, run in runs.items()} == {
        "tiny-n5": 34, "late1": 22.6, "prizes": 100, "depots": 8
    }  # fmt: skip
    for run in runs.values():
        assert run["gap_percent"] == pytest.approx(100 * (run["objective"] / run["best"] - 1), abs=1e-3)
        assert run["gap_percent"] >= 0
    # Customer 2 must be served; what the others are worth is lost without them.
    lost = runs["prizes"]["objective"] - runs["prizes"]["distance"]
    assert lost in {15, 25, 80, 15 + 25, 15 + 80, 25 + 80, 15 + 25 + 80}
    assert runs["prizes"]["served"] + runs["prizes"]["unserved"] == 4
    assert all(run["unserved"] == 0 for name, run in runs.items() if name != "prizes")


def test_a_mandatory_customer_whom_nobody_can_reach_gives_no_gap(folder):
    (folder / "SMALL1.txt").write_text(SOLOMON.replace("  2          20", "  1          20"))
    (run,) = bench(folder, BenchOptions([0.5], folder / "best.csv"))["runs"]
    assert not run["feasible"]
    assert run["gap_percent"] is None
    assert run["broken"] == ["mandatory_served"]
    assert run["unserved"] == 1


@pytest.mark.parametrize(
    ("name", "found"),
    [("C101", "C1"), ("RC2_10_3", "RC2"), ("r208", "R2"), ("X-n101-k25", "X"), ("PR11A", "PR1"), ("1000", "1000")],
)
def test_the_class_is_the_letters_and_the_digit_that_follows(name, found):
    assert class_of(name) == found


def test_wrong_options_and_missing_instances_are_refused(folder):
    with pytest.raises(InvalidInput, match="R999"):
        bench(folder, BenchOptions([1], instances=["R999"]))
    with pytest.raises(InvalidInput, match="numbers above 0"):
        bench(folder, BenchOptions([0]))
    with pytest.raises(InvalidInput, match="must be one of"):
        bench(folder, BenchOptions([1], rounding="up"))
    (folder / "best.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="best_known_distance"):
        bench(folder, BenchOptions([1], folder / "best.csv"))
    (folder / "SMALL1.txt").unlink()
    with pytest.raises(InvalidInput, match="instances"):
        bench(folder, BenchOptions([1]))
