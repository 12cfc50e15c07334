"""From errors to problem answers (RFC 9457), in the reader's language."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from api.field_problems import field_problem
from common.errors import (
    Conflict,
    FieldProblem,
    FieldwiseError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotReady,
    Text,
    Unavailable,
)

log = logging.getLogger("fieldwise.api")

MEDIA_TYPE = "application/problem+json"


class SignInNeeded(FieldwiseError):
    """Nobody, or nobody known, asks."""


class TooManyRequests(FieldwiseError):
    """The asker has to wait."""

    def __init__(self, text: Text, *, retry_after_s: int) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


STATUS: dict[type[FieldwiseError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Forbidden: HTTPStatus.FORBIDDEN,
    SignInNeeded: HTTPStatus.UNAUTHORIZED,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
}
TITLES: dict[int, Text] = {
    400: Text("Bad request", "请求格式错误"),
    401: Text("Sign-in needed", "需要登录"),
    403: Text("Not allowed", "没有权限"),
    404: Text("Not found", "未找到"),
    405: Text("Method not allowed", "不支持该方法"),
    406: Text("Not acceptable", "无法提供所要的格式"),
    409: Text("Conflict", "与现状冲突"),
    412: Text("Changed meanwhile", "内容已被更改"),
    413: Text("Body too large", "请求体过大"),
    415: Text("Media type not supported", "不支持该媒体类型"),
    422: Text("Invalid input", "输入有误"),
    429: Text("Too many requests", "请求过于频繁"),
    500: Text("Internal error", "内部错误"),
    503: Text("Not available now", "暂不可用"),
}


def preferred_language(accept_language: str | None, default: str) -> str:
    """Return ``zh`` or ``en``: the one with the higher weight in an ``Accept-Language`` header, else ``default``."""
    weights: dict[str, float] = {}
    for part in (accept_language or "").lower().split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        language = tag.strip().split("-")[0]
        if language in ("zh", "en") and weight > weights.get(language, 0):
            weights[language] = weight
    return max(weights, key=lambda language: weights[language]) if weights else default


def language_of(request: HTTPConnection) -> str:
    """Return the language in which a request wants its texts."""
    return preferred_language(request.headers.get("accept-language"), request.app.state.services.settings.language)


def problem(
    request: HTTPConnection,
    status: int,
    text: Text | None = None,
    *,
    fields: Sequence[FieldProblem] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return a problem answer; ``errors`` lists the fields with their JSON pointers."""
    language = language_of(request)
    title = TITLES.get(status, Text(HTTPStatus(status).phrase, HTTPStatus(status).phrase))
    body: dict[str, Any] = {
        "type": f"/problems/{title.en.lower().replace(' ', '-')}",
        "title": title.in_language(language),
        "status": status,
        "instance": request.url.path,
    }
    if text is not None:
        body["detail"] = text.in_language(language)
    if fields:
        body["errors"] = [{"pointer": field.pointer, "detail": field.text.in_language(language)} for field in fields]
    return JSONResponse(body, status, media_type=MEDIA_TYPE, headers={"Content-Language": language, **(headers or {})})


def fieldwise_problem(request: HTTPConnection, error: FieldwiseError) -> JSONResponse:
    """Return the answer to one of our own errors."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {}
    if isinstance(error, SignInNeeded):
        headers["WWW-Authenticate"] = 'Bearer realm="fieldwise"'
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return problem(request, status, error.text, fields=error.fields, headers=headers)


def validation_problem(request: Request, error: RequestValidationError) -> JSONResponse:
    """Return the answer to a request that does not fit its model, each field by its JSON pointer."""
    fields = [field_problem(item) for item in error.errors()]
    text = Text("the request has fields that are wrong", "请求中有字段不正确")
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, text, fields=fields[:100])


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem answer."""

    @app.exception_handler(FieldwiseError)
    def _ours(request: Request, error: FieldwiseError) -> JSONResponse:
        return fieldwise_problem(request, error)

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return validation_problem(request, error)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        text = Text(str(error.detail), TITLES.get(error.status_code, Text("", str(error.detail))).zh)
        return problem(request, error.status_code, text, headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
        return problem(request, 500, Text("the error was logged; please report it", "错误已记录，请联系管理员"))
