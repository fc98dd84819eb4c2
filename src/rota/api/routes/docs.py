"""The API to look at and to try, at /docs: Swagger UI from a package, so it works offline and loads nothing else.

Its scripts and styles are files of our own host: there is nothing inline, and the strict policy of api/gate.py holds.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from rota.api.problems import problem

router = APIRouter(include_in_schema=False)
_PACKAGE = "fastapi_swagger"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""All that can be had by a name: nothing is looked up by what somebody sends."""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>rota: REST</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="api">This page needs JavaScript; what it shows is at <a href="/openapi.json">/openapi.json</a>.</div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """// Shows the API, and lets who is signed in try it: what changes something shows the session's token.
const SAFE = ["GET", "HEAD", "OPTIONS"];

async function ownToken() {
  const answer = await fetch("/api/v1/me", { headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).csrf_token : null;
}

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: async (request) => {
    if (!SAFE.includes((request.method || "GET").toUpperCase())) {
      const token = await ownToken();
      if (token) request.headers["X-CSRF-Token"] = token;
    }
    return request;
  },
});
"""


@router.get("/docs")
async def page() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
async def start() -> Response:
    """Return what starts it."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Return a file of the package, of the few that are served."""
    kind = _ASSETS.get(name)
    if kind is None:
        return problem(HTTPStatus.NOT_FOUND, "not-found", "there is no such file")
    return Response(_read(name), media_type=kind, headers={"Cache-Control": "max-age=3600"})


@cache
def _read(name: str) -> bytes:
    return (files(_PACKAGE) / "resources" / name).read_bytes()
