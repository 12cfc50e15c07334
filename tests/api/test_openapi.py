"""Whatever fits the OpenAPI description, or does not, gets an answer that the description allows: never a 500."""

from __future__ import annotations

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.api.conftest import Client


@pytest.fixture(scope="module")
def api_schema(anonymous: TestClient) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", anonymous.app)


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_is_answered_with_a_server_error(case: schemathesis.Case, signed_in: Client) -> None:
    headers = {"Authorization": signed_in("director").headers["authorization"]}
    case.headers = {**(case.headers or {}), **headers}
    case.call_and_validate(
        checks=[not_a_server_error, status_code_conformance, response_schema_conformance], headers=headers
    )


def test_every_operation_has_a_summary_and_every_body_an_example(anonymous: TestClient) -> None:
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
