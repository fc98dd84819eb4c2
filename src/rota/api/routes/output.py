"""What runs write: as text, as a download, in pieces, and live."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from rota.api.desks import AtDesk
from rota.api.door import desks_of
from rota.api.names import RunId
from rota.api.run_source import is_at_the_end, place_of
from rota.api.schemas.runs import Output
from rota.api.streams import MEDIA_TYPE, streams_of
from rota.api.who import Known, needs
from rota.control.following import Place
from rota.control.output import Chunk, attempt_of, read_output
from rota.model.access import Scope
from rota.model.run import Run

router = APIRouter(prefix="/runs/{run_id}/output", tags=["runs"], dependencies=[Depends(needs(Scope.READ))])
_PIECE, _MOST = 64 << 10, 4 << 20
_TEXT = "text/plain"
_LARGEST = 1 << 53
_SAID = {
    "X-Rota-Attempt": "Which attempt wrote it.",
    "X-Rota-From": "Where the piece begins, in bytes.",
    "X-Rota-Next": "Where to read on.",
    "X-Rota-Dropped": "How many bytes right before the piece were let go.",
    "X-Rota-Size": "How much there was in all; absent while it is being written.",
}


@router.get(
    "",
    summary="What a run wrote",
    response_model=Output,
    responses={
        200: {
            "description": "Text, or JSON if `Accept` asks for it.",
            "content": {_TEXT: {"schema": {"type": "string"}}},
            "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in _SAID.items()},
        }
    },
)
def output(
    run_id: RunId,
    desk: AtDesk,
    request: Request,
    attempt: Annotated[int | None, Query(ge=1, le=1 << 31, description="Of this attempt [the last one].")] = None,
    stream: Annotated[Literal["stdout", "stderr"], Query(description="Which of its two streams.")] = "stdout",
    start: Annotated[int, Query(alias="from", ge=0, le=_LARGEST, description="From this byte on.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="How many bytes at most.")] = _PIECE,
    download: Annotated[bool, Query(description="All of it, as a file.")] = False,
) -> Response:
    """Return a piece of what an attempt wrote, as it wrote it; `next` says where to read on.

    A log that outgrew its caps lacks its middle: a piece ends before the gap, and the one behind it says how much is
    missing. A download has a line in its place.
    """
    run = desk.questions.run(run_id)
    chosen = attempt_of(run, attempt)
    if download:
        return _download(run, chosen, stream, _whole(desk, run, chosen, stream))
    chunk = read_output(desk.store, desk.live, run, chosen, stream, start, limit)
    if _wants_json(request):
        return Response(_as_json(run, chunk).model_dump_json(), media_type="application/json")
    return PlainTextResponse(chunk.content, headers=_headers(chunk))


@router.get(
    "/live",
    summary="What a run writes, as it writes it",
    response_class=StreamingResponse,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        204: {"description": "All of it was passed on to this reader before."},
    },
)
async def live(
    run_id: RunId,
    request: Request,
    who: Known,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            description="Go on from there: `attempt:stdout-offset:stderr-offset`.",
            max_length=100,
        ),
    ] = None,
    after: Annotated[
        str | None,
        Query(max_length=100, description="The same, for a browser's first request, whose headers no page can choose."),
    ] = None,
) -> Response:
    """Send what a run writes as server-sent events, from its first attempt on, until it has ended.

    `attempt` begins one, `output` has a `stream` and a `text`, `dropped` says how many bytes are missing here, `state`
    and `end` have the run. After `end`, close the stream.
    """

    begin = last_event_id if last_event_id is not None else after

    def look() -> tuple[Run, Place]:
        with desks_of(request).borrow() as desk:
            run = desk.questions.run(run_id)
            return run, Place() if begin is None else place_of(begin, run)

    run, place = await run_in_threadpool(look)
    if begin is not None and is_at_the_end(place, run):
        return Response(status_code=HTTPStatus.NO_CONTENT)  # which tells a browser not to come back
    return streams_of(request).output(run.id, place, who)


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "json" in accept and _TEXT not in accept


def _as_json(run: Run, chunk: Chunk) -> Output:
    return Output(
        run=run.id,
        attempt=chunk.attempt,
        stream=chunk.stream,
        start=chunk.start,
        next=chunk.next,
        dropped=chunk.dropped,
        size=chunk.size,
        last=chunk.is_last,
        text=chunk.content.decode("utf-8", "replace"),
    )


def _headers(chunk: Chunk) -> dict[str, str]:
    said = {
        "X-Rota-Attempt": chunk.attempt,
        "X-Rota-From": chunk.start,
        "X-Rota-Next": chunk.next,
        "X-Rota-Dropped": chunk.dropped,
        "X-Rota-Size": chunk.size,
    }
    return {name: str(number) for name, number in said.items() if number is not None}


def _whole(desk: AtDesk, run: Run, attempt: int, stream: str) -> bytes:
    """Return all that was kept, with a line where something is missing."""
    found, start = bytearray(), 0
    while True:
        chunk = read_output(desk.store, desk.live, run, attempt, stream, start, _MOST)
        if chunk.dropped:
            found += f"\n[rota: {chunk.dropped:,} bytes are missing here]\n".encode()
        found += chunk.content
        if not chunk.content or len(found) > 2 * _MOST:
            return bytes(found)
        start = chunk.next


def _download(run: Run, attempt: int, stream: str, content: bytes) -> Response:
    """Return a file; its name is made of what no job can choose."""
    name = f"{run.id}-{attempt}-{stream}.txt"
    return PlainTextResponse(content, headers={"Content-Disposition": f'attachment; filename="{name}"'})
