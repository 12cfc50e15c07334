"""The same request twice changes nothing the second time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from common.clock import FixedClock
from common.errors import Conflict, InvalidInput
from operations import repeated_requests
from operations.repeated_requests import Answer
from operations.store.database import Database

ANSWER = Answer(201, {"location": "/v1/x/1"}, b'{"id": 1}')


def test_the_first_answer_is_given_again(each_database: Database) -> None:
    assert repeated_requests.begin(each_database, "anna", "k1", b"POST /x") is None
    repeated_requests.finish(each_database, "anna", "k1", ANSWER)
    assert repeated_requests.begin(each_database, "anna", "k1", b"POST /x") == ANSWER
    assert repeated_requests.begin(each_database, "boris", "k1", b"POST /y") is None


def test_another_request_with_the_same_key_is_refused(each_database: Database) -> None:
    repeated_requests.begin(each_database, "anna", "k1", b"POST /x {1}")
    with pytest.raises(InvalidInput, match="different request"):
        repeated_requests.begin(each_database, "anna", "k1", b"POST /x {2}")


def test_a_failed_request_may_be_tried_again(each_database: Database) -> None:
    repeated_requests.begin(each_database, "anna", "k1", b"POST /x")
    repeated_requests.give_up(each_database, "anna", "k1")
    assert repeated_requests.begin(each_database, "anna", "k1", b"POST /x") is None


def test_a_request_whose_process_died_is_released_after_a_while(each_database: Database, clock: FixedClock) -> None:
    repeated_requests.begin(each_database, "anna", "k1", b"POST /x")
    with pytest.raises(Conflict, match="worked on"):
        repeated_requests.begin(each_database, "anna", "k1", b"POST /x")
    clock.advance(timedelta(minutes=6))
    assert repeated_requests.begin(each_database, "anna", "k1", b"POST /x") is None


def test_of_many_at_once_exactly_one_goes_ahead(each_database: Database) -> None:
    def claim(_: int) -> bool:
        try:
            return repeated_requests.begin(each_database, "anna", "k1", b"POST /x") is None
        except Conflict:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(16))) == 1


def test_old_answers_are_forgotten(each_database: Database, clock: FixedClock) -> None:
    repeated_requests.begin(each_database, "anna", "k1", b"POST /x")
    repeated_requests.finish(each_database, "anna", "k1", ANSWER)
    clock.advance(timedelta(hours=25))
    with each_database.write("system") as session:
        assert repeated_requests.forget_old(session) == 1
