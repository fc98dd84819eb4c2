"""What went wrong, as a page: in the words of the error, with a way on. Who is no browser gets it as REST says it."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from rota.api import problems
from rota.api.cookies import ForeignPage
from rota.api.problems import NotAllowed
from rota.errors import RotaError
from rota.web.notices import Notice, leave_notice
from rota.web.rendering import address_of, as_sentence, show_to_anybody

_TITLES = {
    HTTPStatus.NOT_FOUND: "Not here",
    HTTPStatus.FORBIDDEN: "Not yours to do",
    HTTPStatus.CONFLICT: "Not now",
    HTTPStatus.PRECONDITION_FAILED: "Somebody was faster",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That cannot be",
    HTTPStatus.TOO_MANY_REQUESTS: "Not so fast",
    HTTPStatus.SERVICE_UNAVAILABLE: "Just a moment",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A mistake of rota's own",
}
_SEE_OTHER = HTTPStatus.SEE_OTHER
_UNDONE = "Your session has ended, so what you sent was not done. Sign in and do it again."
_FOREIGN = (
    "Nothing was done: the page that this comes from was made before you signed in the last time, "
    "or is not one of ours. Go back, load it anew, and do it again."
)


def install(pages: FastAPI) -> None:
    """Let every error that leaves a page's route be a page."""
    pages.add_exception_handler(RotaError, _of_rota)
    pages.add_exception_handler(RequestValidationError, _of_request)
    pages.add_exception_handler(HTTPException, _of_http)
    pages.add_exception_handler(Exception, _of_mistake)


async def _of_rota(request: Request, error: Exception) -> Response:
    assert isinstance(error, RotaError), "it is installed for those"
    answer = problems.of_error(error)
    if not wants_page(request):
        return answer
    if isinstance(error, NotAllowed) and error.status == HTTPStatus.UNAUTHORIZED:
        return _to_sign_in(request)
    if isinstance(error, ForeignPage):
        return problem_page(request, error.status, _FOREIGN)
    return problem_page(request, answer.status_code, as_sentence(str(error)))


async def _of_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "it is installed for those"
    if not wants_page(request):
        return problems.of_request(request, error)
    wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return problem_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "it is installed for those"
    if not wants_page(request):
        return problems.of_http(error)
    is_plain = error.detail == HTTPStatus.NOT_FOUND.phrase
    return problem_page(request, error.status_code, "There is no such page." if is_plain else str(error.detail))


async def _of_mistake(request: Request, _error: Exception) -> Response:
    text = "This is a mistake of rota's own; its log says more, and a report of it would be kind."
    return problem_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, text)


def problem_page(request: Request, status: int, text: str) -> HTMLResponse:
    """Return a page that says what went wrong."""
    title = _TITLES.get(HTTPStatus(status), HTTPStatus(status).phrase)
    passes = status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET"
    return show_to_anybody(request, "problem.html", status, title=title, text=text, passes=passes)


def wants_page(request: Request) -> bool:
    """Tell whether it is a browser that asks."""
    return "text/html" in request.headers.get("accept", "")


def _to_sign_in(request: Request) -> RedirectResponse:
    """Send somebody to sign in, and from there back to where they wanted to look."""
    if request.method == "GET":
        wanted = address_of(request)
        return RedirectResponse("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}", _SEE_OTHER)
    answer = RedirectResponse("/sign-in", _SEE_OTHER)
    leave_notice(answer, Notice(_UNDONE, "bad"))
    return answer
