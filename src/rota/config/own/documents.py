"""rota's own job files as documents: what may be written, and what it means to people and editors.

The JSON Schema (`rota schema`) and the reference page are made from these classes, so every field says what it is for.
What a field's text means is in quantities.py; what the whole means as jobs is in assembling.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from rota.config.own.quantities import (
    COUNT,
    TEXT,
    TEXTS,
    Codes,
    Count,
    Duration,
    Factor,
    Flag,
    JsonSchema,
    Or,
    Places,
    Priority,
    Share,
    Size,
    Text,
    Texts,
    Umask,
    Zone,
    choice,
    read_text,
    said,
    words_schema,
    wrong,
)
from rota.config.own.runs_on import Where
from rota.errors import did_you_mean
from rota.model.job import SECRET_SOURCES
from rota.schedule.parse import KINDS

_UNSAID: Any = None
"""The default of what has its default elsewhere: in the model of jobs."""
ACTIONS = ("run", "python", "task", "uses")


class _Document(BaseModel):
    """A mapping in a file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _one_of(*keys: str) -> JsonSchema:
    """Say in a JSON Schema that exactly one of some keys has a value."""
    return {"oneOf": [_given(key) for key in keys]}


def _given(key: str) -> JsonSchema:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _only_with(key: str, others: tuple[str, ...], least: JsonSchema) -> JsonSchema:
    """Say in a JSON Schema that a key needs one of others; `least` is what makes it more than empty."""
    asked = {"required": [key], "properties": {key: least}}
    return {"anyOf": [{"not": asked}, *(_given(other) for other in others)]}


def _count_alone(value: Any) -> Any:
    return {"count": value} if not isinstance(value, dict) else value


def _mode_alone(value: Any) -> Any:
    return {"mode": value} if not isinstance(value, dict) else value


def _every_alone(value: Any) -> Any:
    return {"every": value} if not isinstance(value, dict) else value


def _read_run(value: Any) -> str | list[str]:
    if isinstance(value, list):
        if not value:
            raise wrong("the list is empty", "write a program and its arguments")
        return [read_text(word) for word in value]
    if not isinstance(value, str):
        raise wrong(f"{said(value)} is nothing to run", "write a line of shell, or a list: a program and its arguments")
    return str(value)


class Secret(_Document):
    """Where a secret is; it is read when the job starts, in the job's own process, and masked in the job's output."""

    source: Annotated[str, Field(alias="from", description="`keyring:service/name`, `file:path` or `env:NAME`.")]


def _read_variable(value: Any) -> str | Secret:
    if isinstance(value, dict):
        unknown = [key for key in value if key != "from"]
        if unknown or not isinstance(value.get("from"), str):
            raise wrong(
                "a mapping here names a secret", 'write {from: "file:path"}, "keyring:service/name" or "env:NAME"'
            )
        scheme, colon, rest = value["from"].partition(":")
        if not colon or scheme not in SECRET_SOURCES:
            near = did_you_mean(scheme, SECRET_SOURCES)
            raise wrong(
                f"{value['from']!r} is no place of a secret",
                near or "write keyring:service/name, file:path or env:NAME",
            )
        if not rest or (scheme == "keyring" and not all(rest.partition("/")[::2])):
            raise wrong(f"{value['from']!r} lacks a name", "write keyring:service/name, file:path or env:NAME")
        return Secret(**{"from": value["from"]})
    if value is None:
        raise wrong("a variable without a value", "write '' for an empty one")
    if isinstance(value, bool):
        return "true" if value else "false"
    return read_text(value)


Variable = Annotated[
    Any,
    BeforeValidator(_read_variable),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {
                    "type": "object",
                    "properties": {"from": {"type": "string", "pattern": r"^(keyring:[^/]+/.+|(file|env):.+)$|\$\{"}},
                    "required": ["from"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


_MODES = ("file", "pipe")


class RetriesDocument(_Document):
    """Whether and when a failed attempt is tried again; a number alone is the count."""

    count: Count = Field(0, description="How often a failed run is tried again.")
    delay: Duration = Field(_UNSAID, description="The pause before the first retry [10s].")
    backoff: Factor = Field(2.0, description="How much longer each pause is than the one before.")
    max_delay: Duration = Field(_UNSAID, description="The longest pause [1h].")
    jitter: Share = Field(0.1, description="By how much a pause may vary, such as 10%.")
    only_on: Codes = Field((), description="Try again only on these exit codes [any failure].")


class OutputDocument(_Document):
    """How much of each stream is kept; `file` or `pipe` alone is the mode."""

    head: Size = Field(256 * 1024, description="How much of the beginning of each stream is kept [256KB].")
    tail: Size = Field(768 * 1024, description="How much of the end of each stream is kept [768KB].")
    mode: choice(*_MODES) = Field(  # type: ignore[valid-type]  # a type that is made of its words
        None, validate_default=False, description="How output is collected [file; pipe with `user` or secrets]."
    )


class EveryDocument(_Document):
    """An interval; a duration alone is `every`."""

    every: Text = Field(description="The interval, such as `5m`.")
    start: choice("start", "end") = Field(  # type: ignore[valid-type]  # the same
        "start", alias="from", description="Count from the start of each interval, or from the end of the run before."
    )
    anchor: Text | None = Field(None, description="Count from this instant [the first apply].")


class ScheduleDocument(_Document):
    """One of several schedules: one of these keys, with what belongs to it."""

    model_config = ConfigDict(
        json_schema_extra=_one_of(*KINDS)
        | {
            "allOf": [
                *(_only_with(key, ("every",), {}) for key in ("from", "anchor")),
                _only_with("dst", ("calendar",), {}),
            ]
        }
    )
    cron: Text | None = Field(None, description="As in cron: `30 2 * * *`.")
    every: Text | None = Field(None, description="An interval, such as `5m`.")
    at: Text | None = Field(
        None, description="Once, such as `2027-01-31 10:00`; or `boot`, at each start of the machine."
    )
    calendar: Text | None = Field(None, description="As in systemd: `Mon..Fri 09:00`.")
    custom: Text | None = Field(None, description="Of a plug-in: its name, and what it takes: `sunset Berlin`.")
    start: choice("start", "end") = Field(  # type: ignore[valid-type]  # the same
        "start",
        alias="from",
        description="With `every`: count from the `start` of each interval, or from the `end` of the run before.",
    )
    anchor: Text | None = Field(None, description="With `every`: count from this instant [the first apply].")
    dst: choice("fire", "skip") = Field(  # type: ignore[valid-type]  # the same
        "fire", description="With `calendar`: what becomes of a wall-clock time that a change of the clock skips."
    )

    @property
    def kinds(self) -> list[str]:
        """Which of the keys are given."""
        return [kind for kind in KINDS if getattr(self, kind) is not None]

    @model_validator(mode="after")
    def _check_one_kind(self) -> Self:
        if len(self.kinds) != 1:
            raise wrong(
                f"{len(self.kinds)} schedules in one entry of the list", f"write one of {', '.join(KINDS)} in each"
            )
        if "every" not in self.kinds and self.model_fields_set & {"start", "anchor"}:
            raise wrong("`from` and `anchor` belong to `every`", "leave them out")
        if "calendar" not in self.kinds and "dst" in self.model_fields_set:
            raise wrong("`dst` belongs to `calendar`", "leave it out")
        return self


class SharedDocument(_Document):
    """What a job may say, and `defaults` may say for all jobs of the file."""

    timezone: Zone | None = Field(
        None, description="The time zone of the schedules: an IANA name [the file's, then the host's]."
    )
    cwd: Text | None = Field(None, description="Where it runs, relative to this file [the file's directory].")
    env: dict[str, Variable] = Field(
        default_factory=dict, description='Variables: texts, or secrets such as `{from: "file:token"}`.'
    )
    env_file: Texts = Field(default_factory=list, description="Files of NAME=VALUE lines, read when the job starts.")
    user: Text | None = Field(None, description="Run as this user; the engine must be root.")
    umask: Umask | None = Field(None, description="Such as `027`.")
    runs_on: Where = Field(
        _UNSAID, description="`all` hosts, a host's name, or labels: `gpu=a100`, `{gpu: a100}` [any]."
    )
    tags: Texts = Field(default_factory=list, description="Words to find it by.")
    enabled: Flag = Field(True, description="`false`: it is never due.")
    overlap: choice("skip", "queue", "replace", "allow") = Field(  # type: ignore[valid-type]  # the same
        "skip", description="What a due run does while earlier ones are active."
    )
    max_instances: Places = Field(
        1, description="How many of its runs go at once; without effect with `overlap: allow`, which has no limit."
    )
    catch_up: choice("latest", "all", "none") = Field(  # type: ignore[valid-type]  # the same
        "latest", description="Which slots that were missed run afterwards."
    )
    grace: Duration = Field(_UNSAID, description="How late a missed slot may still run [1h].")
    retries: Annotated[RetriesDocument, BeforeValidator(_count_alone), Or(COUNT)] = Field(
        _UNSAID, description="Whether and when a failed attempt is tried again [0]."
    )
    timeout: Duration | None = Field(None, description="End a run that takes longer [no limit].")
    kill_after: Duration = Field(_UNSAID, description="From SIGTERM to SIGKILL [10s].")
    start_by: Duration | None = Field(None, description="Cancel a run that waits longer for a place [no limit].")
    priority: Priority = Field(
        50, description="`urgent`, `high`, `medium`, `low`, or a number: the smaller starts first [medium]."
    )
    pool: Text = Field("", description="The limit that it shares with other jobs.")
    jitter: Duration = Field(_UNSAID, description="Start up to this much later, always the same [0].")
    not_before: Text | None = Field(None, description="No slot before this instant.")
    not_after: Text | None = Field(None, description="No slot after this instant.")
    output: Annotated[OutputDocument, BeforeValidator(_mode_alone), Or(words_schema(*_MODES))] = Field(
        _UNSAID, description="How much of each stream is kept."
    )


class JobDocument(SharedDocument):
    """A job: one action (`run`, `python`, `task` or `uses`), and when."""

    model_config = ConfigDict(
        json_schema_extra=_one_of(*ACTIONS)
        | {
            "allOf": [
                _only_with("args", ("python", "task"), {"minItems": 1}),
                _only_with("kwargs", ("python",), {"minProperties": 1}),
                _only_with("with", ("uses",), {"minProperties": 1}),
            ]
        }
    )
    run: Annotated[
        Any,
        BeforeValidator(_read_run),
        WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, TEXTS | {"minItems": 1}]}),
    ] = Field(_UNSAID, description="What it runs: a text is a line of shell, a list is a program and its arguments.")
    python: Text | None = Field(None, description="Or a Python function: `pkg.mod:func`.")
    task: Text | None = Field(None, description="Or a directory with an executable `run.sh`, relative to this file.")
    uses: Text | None = Field(None, description="Or an action of a plug-in, by its name.")
    args: list[Any] = Field(default_factory=list, description="Arguments for `python` and `task`.")
    kwargs: dict[str, Any] = Field(default_factory=dict, description="Named arguments for `python`.")
    given: dict[str, Any] = Field(default_factory=dict, alias="with", description="What that action takes.")
    description: Text = Field("", description="What it is for.")
    cron: Texts = Field(default_factory=list, description="When, as in cron: `30 2 * * *`, `@daily`.")
    every: Annotated[EveryDocument, BeforeValidator(_every_alone), Or(TEXT)] | None = Field(
        None, description="At an interval: `5m`, or `{every: 5m, from: end}`."
    )
    at: Texts = Field(
        default_factory=list, description="Once: `2027-01-31 10:00`; or `boot`: at each start of the machine."
    )
    calendar: Texts = Field(default_factory=list, description="When, as in systemd: `Mon..Fri 09:00`.")
    custom: Texts = Field(
        default_factory=list, description="When a plug-in says: its name, and what it takes: `sunset Berlin`."
    )
    schedules: list[ScheduleDocument] = Field(default_factory=list, description="Several of these, of any kind.")


class EngineDocument(_Document):
    """What may be set about the engine; flags and the environment go before it."""

    capacity: Places | None = Field(None, description="How many runs go at once [2 × cores].")
    max_running: Places | None = Field(None, description="The same over all hosts [no limit].")
    log_file: Text | None = Field(
        None,
        description="One log of everything that runs do and write; relative to this file. Lines of text are appended "
        "to it, and it is made with the mode that the umask leaves.",
    )
    web: Flag | None = Field(None, description="`false`: without the pages and REST [true].")


class FileDocument(_Document):
    """A file of jobs."""

    schema_url: Text | None = Field(None, alias="$schema", description="For editors; rota passes over it.")
    timezone: Zone | None = Field(None, description="The time zone of all schedules: an IANA name [the host's].")
    defaults: SharedDocument = Field(_UNSAID, description="What all jobs of the file say, unless they say otherwise.")
    pools: dict[str, Places] = Field(default_factory=dict, description="Named limits on how many runs go at once.")
    env: dict[str, Variable] = Field(default_factory=dict, description="Variables for all jobs of the file.")
    engine: EngineDocument = Field(_UNSAID, description="What may be set about the engine.")
    jobs: Annotated[dict[str, JobDocument], Or({"type": "null"})] = Field(
        default_factory=dict, description="The jobs, by name."
    )
