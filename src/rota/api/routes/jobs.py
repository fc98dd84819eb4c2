"""Jobs: what there is, making, changing and removing them, and asking for runs."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import PlainTextResponse

from rota.api.audit import Change, audited
from rota.api.desks import AtDesk
from rota.api.documents import YAML, BodyText, job_body, the_job
from rota.api.names import JobName, in_path
from rota.api.problems import BadRequest
from rota.api.queries import After, Limit, State, Tag, Text
from rota.api.schemas import jobs as schemas
from rota.api.schemas.base import Fault
from rota.api.schemas.runs import Run
from rota.api.who import Reader, check_scope, needs
from rota.config.given import job_document, job_file, read_job
from rota.control.bulk import MOST, Action, Bulk
from rota.control.desk import Desk
from rota.control.discretion import discreet
from rota.control.editing import Applied
from rota.control.host_names import host_names
from rota.control.listing import Listing
from rota.control.ownership import check_by_hand
from rota.control.questions import JobLine
from rota.control.views import View, instant_view, job_details_view, job_view, run_view
from rota.errors import BadJob, Conflict
from rota.model.access import Scope, Who
from rota.model.job import StoredJob
from rota.model.settlement import JobFilter

router = APIRouter(prefix="/jobs", tags=["jobs"], dependencies=[Depends(needs(Scope.READ))])
_ETAG = re.compile(r'(?:W/)?"?(\d{1,18})"?')
_LONGEST_KEY = 200
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The `ETag` of the job as you saw it: it is changed only if it is still so.",
        max_length=100,
    ),
]
Revision = Annotated[int | None, Query(ge=0, le=1 << 62, description="The same as `If-Match`.")]


@router.get("", summary="List jobs")
def list_jobs(
    desk: AtDesk,
    text: Text = "",
    tag: Tag = "",
    state: State = "",
    origin: Annotated[str, Query(max_length=4_096, description="`hand`, `file`, or `file:` with a path.")] = "",
    paused: Annotated[bool | None, Query(description="Paused, or not.")] = None,
    enabled: Annotated[bool | None, Query(description="Enabled, or not.")] = None,
    host: Annotated[str, Query(max_length=200, description="For this host only, which they name in `runs_on`.")] = "",
    limit: Limit = 100,
    after: After = None,
) -> schemas.JobPage:
    """Return jobs by name. `state` is that of the newest run."""
    wanted = JobFilter(text, tag, origin, state, paused, enabled, host)
    page = Listing(desk.store, desk.questions).jobs(wanted, after, limit)
    items: Any = [job_view(line.stored, line.last, line.broken) for line in page.items]
    return schemas.JobPage(items=items, next=page.next)


@router.post("", status_code=HTTPStatus.CREATED, summary="Make a job", openapi_extra=job_body(named=True))
def make_job(
    body: BodyText,
    desk: AtDesk,
    change: Annotated[Change, audited("job.make", Scope.WRITE)],
    response: Response,
) -> schemas.Made:
    """Make a job from its document, in JSON or YAML: the words are those of a job file.

    Everything that is wrong with a document is told at once. Relative paths begin in the home directory of the person
    that rota runs for.
    """
    given = read_job(body)
    job = the_job(given)
    change.target = job.name
    applied = desk.verbs.add(job)
    response.headers["Location"] = f"/api/v1/jobs/{in_path(job.name)}"
    return _made(desk, applied, response, [fault.problem for fault in given.warnings])


@router.post("/bulk", summary="Do something to many jobs")
def do_bulk(
    asked: schemas.BulkRequest, desk: AtDesk, change: Annotated[Change, audited("job.bulk", Scope.RUN)]
) -> schemas.Bulk:
    """Pause, resume, run or delete jobs: those that are named, or those that a filter finds. Each has its own outcome.

    Deleting needs the right to change jobs; only jobs made by hand are deleted.
    """
    change.action = f"job.{asked.action}"
    if (asked.names is None) == (asked.filter is None):
        text = "say which jobs: either `names` or `filter`"
        raise BadRequest(text, [Fault(place="body", problem=text)])
    if asked.action is Action.DELETE:
        check_scope(change.who, Scope.WRITE)
    names = asked.names
    if asked.filter is not None:
        found = JobFilter(**asked.filter.model_dump())
        names = Listing(desk.store, desk.questions).names(found, MOST)
    outcomes = Bulk(desk.store, desk.verbs).do(asked.action, names or [])
    for outcome in outcomes:
        change.also(outcome.name, outcome.kind)
    shown = [schemas.Outcome(name=each.name, ok=each.ok, run=each.run, problem=each.problem) for each in outcomes]
    return schemas.Bulk(outcomes=shown, failed=sum(not each.ok for each in outcomes))


@router.get("/{name}", summary="Show a job")
def show_job(name: JobName, desk: AtDesk, who: Reader, response: Response) -> schemas.JobDetails:
    """Return a job with everything that its author said.

    A value of `env` whose name says that it is a secret is `***` for those who may not change jobs.
    """
    line = desk.questions.job(name)
    return schemas.JobDetails(**_details(line, _shown_to(who, line.stored), response))


@router.get(
    "/{name}/document",
    summary="Show a job as a file",
    response_class=PlainTextResponse,
    responses={200: {"content": {YAML: {"schema": {"type": "object"}}}}},
)
def job_as_file(name: JobName, desk: AtDesk, who: Reader) -> Response:
    """Return a `rota.yaml` with this job in it, with secrets as in the job itself."""
    text = job_file(_shown_to(who, desk.store.jobs.get(name)).job)
    if text is None:
        raise BadJob(f"job {name!r} is a function of somebody's program, which no file can say")
    return Response(text, media_type=YAML)


@router.put(
    "/{name}",
    summary="Change a job",
    openapi_extra=job_body(named=False),
    dependencies=[audited("job.change", Scope.WRITE)],
)
def change_job(
    name: JobName,
    body: BodyText,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
    revision: Revision = None,
) -> schemas.Made:
    """Give a job another definition. What was due until now is decided under the old one.

    With `If-Match` or `revision`, only if nobody has changed it since (412). Jobs of files and programs are changed
    there (409).
    """
    check_by_hand(desk.store.jobs.get(name))
    given = read_job(body, name)
    applied = desk.verbs.change(name, the_job(given), _expected(if_match, revision))
    return _made(desk, applied, response, [fault.problem for fault in given.warnings])


@router.delete("/{name}", summary="Remove a job", dependencies=[audited("job.remove", Scope.WRITE)])
def remove_job(name: JobName, desk: AtDesk, if_match: IfMatch = None, revision: Revision = None) -> schemas.Removed:
    """Take a job out of service; its history stays. Runs that wait for a start are cancelled, what runs goes on."""
    check_by_hand(desk.store.jobs.get(name))
    left = desk.verbs.remove(name, _expected(if_match, revision))
    return schemas.Removed(name=name, still_active=[run.id for run in left])


@router.post(
    "/{name}/run",
    status_code=HTTPStatus.ACCEPTED,
    summary="Run a job now",
    dependencies=[audited("job.run", Scope.RUN)],
    responses={200: {"model": Run, "description": "An earlier request with this key has asked for it already."}},
)
def run_job(
    name: JobName,
    desk: AtDesk,
    response: Response,
    asked: schemas.RunRequest | None = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="The same key asks only once, however often it is sent.",
            min_length=1,
            max_length=_LONGEST_KEY,
            examples=["deploy-2027-01-31"],
        ),
    ] = None,
) -> Run:
    """Ask for a run, and return it; it starts as soon as there is a place for it."""
    params = asked.params if asked is not None else {}
    run_id, is_new = desk.verbs.ask(name, params, idempotency_key)
    if not is_new:
        response.status_code = HTTPStatus.OK
    response.headers["Location"] = f"/api/v1/runs/{run_id}"
    run = desk.store.runs.find(run_id)
    if run is None:
        raise Conflict(f"run {run_id}, which this key has asked for, was pruned; choose another key")
    return Run(**run_view(run, host_names(desk.store)))


@router.post("/{name}/pause", summary="Pause a job", dependencies=[audited("job.pause", Scope.RUN)])
def pause_job(name: JobName, desk: AtDesk) -> schemas.Paused:
    """Make no more slots of it due, until it is resumed. What runs goes on."""
    changed = desk.verbs.pause(name)
    return schemas.Paused(name=name, paused=True, changed=changed)


@router.post("/{name}/resume", summary="Resume a job", dependencies=[audited("job.resume", Scope.RUN)])
def resume_job(name: JobName, desk: AtDesk) -> schemas.Paused:
    """End a pause. Slots that passed in it are not caught up."""
    passed = 0
    changed = desk.store.jobs.get(name).paused_at is not None
    if changed:
        passed = desk.verbs.resume(name)
    slot = instant_view(desk.store.jobs.get(name).next_slot)
    return schemas.Paused(name=name, paused=False, changed=changed, passed=passed, next_slot=slot)


def _details(line: JobLine, stored: StoredJob, response: Response) -> View:
    response.headers["ETag"] = f'"{stored.revision}"'
    return job_details_view(stored, line.last, line.broken) | {"document": job_document(stored.job)}


def _shown_to(who: Who, stored: StoredJob) -> StoredJob:
    return stored if who.may(Scope.WRITE) else discreet(stored)


def _made(desk: Desk, applied: Applied, response: Response, warnings: list[str]) -> schemas.Made:
    line = desk.questions.job(applied.stored.name)
    return schemas.Made(**_details(line, line.stored, response), warnings=[*applied.warnings, *warnings])


def _expected(if_match: str | None, revision: int | None) -> int | None:
    """Return the revision that somebody has seen; none if they do not care."""
    if if_match is None or if_match.strip() == "*":
        return revision
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        text = f"If-Match: {if_match!r} is no ETag of a job, which is its revision in quotes"
        raise BadRequest(text, [Fault(place="header.If-Match", problem=text, hint='such as "3"')])
    return int(found[1])
