"""Whatever fits the OpenAPI description, or does not, gets an answer that the description allows: never a 500."""

from __future__ import annotations

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from api.services import Services
from tests.api.conftest import Client

EXAMPLES = 15
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.mark.slow
def test_no_request_right_or_wrong_is_answered_with_a_server_error(
    anonymous: TestClient, signed_in: Client, services: Services, subtests: pytest.Subtests
) -> None:
    headers = {"Authorization": signed_in("director").headers["authorization"]}
    services.hint_desk.engine()
    description = schemathesis.openapi.from_asgi("/openapi.json", anonymous.app)
    for found in description.get_all_operations():
        operation = found.ok()
        modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

        @given(case=one_of(modes))
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def holds(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS, headers=headers)

        with subtests.test(operation.label):
            holds()


def test_every_operation_says_what_it_does_and_every_body_has_an_example(anonymous: TestClient) -> None:
    description = anonymous.get("/openapi.json").json()
    schemas = description["components"]["schemas"]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path} has no description"
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body and "$ref" in body["schema"]:
                fields = schemas[body["schema"]["$ref"].rsplit("/", 1)[1]]["properties"].values()
                assert any("examples" in field for field in fields), f"{method} {path} has no example"


def test_the_documentation_page_needs_no_internet(anonymous: TestClient) -> None:
    page = anonymous.get("/docs").text
    assert "cdn" not in page
    assert anonymous.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
