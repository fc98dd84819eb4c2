"""A service: a command with schedules, kept as a job in a home of rota's, and run by whoever serves that home."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import rota
from rota.compat.taskflows.exceptions import NotYet, TaskflowsError, ValidationError
from rota.compat.taskflows.schedule import schedules_of
from rota.compat.taskflows.words import (
    RestartPolicy,
    Venv,
    check_type,
    either,
    in_their_words,
    refuse,
    tell_what_differs,
    variables,
    what_runs,
    when,
)
from rota.errors import NoSuchJob
from rota.sdk.services import home_here, path_of

__all__ = ["RestartPolicy", "Service", "ServiceRegistry", "Venv"]
_PATIENCE = 30.0
_UNITS = "files of systemd's units"


class Service:
    """A command, and when it is started.

    `home` names rota's home; else it is that of the command line: ROTA_HOME, the nearest `.rota`, or the user's own.
    Runs are those of `rota serve` on that home; without it, they wait until it is started.
    """

    def __init__(
        self,
        name: str | None = None,
        start_command: str | list[str] | Callable[[], object] | None = None,
        *,
        exec_start: str | list[str] | Callable[[], object] | None = None,
        description: str | None = None,
        schedule: Any = None,
        start_schedule: Any = None,
        restart_policy: str | RestartPolicy | None = "no",
        timeout: float | str | None = None,
        environment: Mapping[str, object] | None = None,
        env: Mapping[str, object] | None = None,
        env_file: str | os.PathLike[str] | None = None,
        working_directory: str | os.PathLike[str] | None = None,
        enabled: bool = False,
        kill_signal: str = "SIGTERM",
        type: str = "simple",  # noqa: A002 -- the word is theirs
        home: str | os.PathLike[str] | None = None,
        **more: Any,
    ) -> None:
        refuse(more)
        if not name:
            raise ValidationError("Service name is required")
        self.name, self.description, self.enabled, self.timeout = name, description, enabled, timeout
        self.start_command = either(name, start_command=start_command, exec_start=exec_start)
        self.start_schedule = either(name, start_schedule=start_schedule, schedule=schedule)
        if not self.start_command:
            raise ValidationError(f"service {name!r}: start_command is required, such as 'python3 report.py'")
        self.restart_policy = restart_policy
        self.env = {**variables(name, environment), **{key: str(value) for key, value in (env or {}).items()}}
        self.env_file, self.working_directory = env_file, working_directory
        self.home = os.fspath(home) if home is not None else None
        check_type(name, type, kill_signal)
        self._what: Any = what_runs(name, self.start_command)
        self._options()  # what cannot mean anything is refused now

    @property
    def exec_start(self) -> Any:
        """Another name for `start_command`."""
        return self.start_command

    @property
    def schedule(self) -> Any:
        """Another name for `start_schedule`."""
        return self.start_schedule

    def _options(self) -> dict[str, Any]:
        """Return the service in rota's words."""
        policy = self.restart_policy
        restart = policy if isinstance(policy, RestartPolicy) else RestartPolicy((policy or "no").lower())
        with in_their_words(f"service {self.name!r}"):
            env_file = None if self.env_file is None else path_of(os.fspath(self.env_file).removeprefix("-"))
            directory = None if self.working_directory is None else path_of(self.working_directory)
        return {
            **when(schedules_of(self.start_schedule), enabled=self.enabled),
            "description": self.description or "",
            "retries": restart.retry,
            "timeout": self.timeout or None,
            "env": self.env,
            "env_file": env_file,
            "cwd": directory,
        }

    @contextmanager
    def _home(self) -> Iterator[rota.Scheduler]:
        """Open the home, as a client of whoever serves it."""
        try:
            home = rota.Scheduler(self.home or home_here())
            try:
                yield home
            finally:
                home.close()
        except TaskflowsError:
            raise
        except rota.RotaError as error:
            raise TaskflowsError(str(error)) from error

    def _is_in(self, home: rota.Scheduler) -> bool:
        try:
            home.get(self.name)
        except NoSuchJob:
            return False
        return True

    def _make_sure(self, home: rota.Scheduler) -> None:
        if not self._is_in(home):
            self._put(home)

    def _put(self, home: rota.Scheduler) -> None:
        tell_what_differs(self.name, schedules_of(self.start_schedule), enabled=self.enabled)
        home.add(self._what, self.name, apart=callable(self._what), replace=True, **self._options())

    def _let_be_due(self, home: rota.Scheduler, *, due: bool) -> None:
        is_paused = home.get(self.name).stored.paused_at is not None
        if due and is_paused:
            home.resume(self.name)
        elif not due and not is_paused:
            home.pause(self.name)

    def _end_runs(self, home: rota.Scheduler, why: str) -> list[rota.Run]:
        try:
            return home.cancel(self.name, why)
        except rota.Conflict:  # nothing runs, and that is what is wanted
            return []

    # -- what is done with it -----------------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Tell whether the home has it."""
        with self._home() as home:
            return self._is_in(home)

    def create(self, defer_reload: bool = False) -> None:  # noqa: ARG002 -- there is nothing to reload
        """Make it a job of the home, or give the job this definition; from now on it is due by its schedules."""
        with self._home() as home:
            self._put(home)
            self._let_be_due(home, due=True)

    def start(self) -> str:
        """Ask for a run now, and return its id; where nobody serves the home, it waits until somebody does."""
        with self._home() as home:
            self._make_sure(home)
            return home.trigger(self.name).id

    def stop(self, timers: bool = False) -> None:
        """End what runs, with everything that it has started; with `timers`, nothing is due any more, too."""
        with self._home() as home:
            if timers:
                self._let_be_due(home, due=False)
            self._end_runs(home, "stopped by its service")

    def restart(self) -> str:
        """End what runs, and ask for another run, when that has ended; return its id."""
        with self._home() as home:
            self._make_sure(home)
            for run in self._end_runs(home, "restarted by its service"):
                home.handle(run.id).wait(_PATIENCE)
            return home.trigger(self.name).id

    def enable(self, timers_only: bool = False) -> None:  # noqa: ARG002 -- there are no units besides the timers
        """Let it be due by its schedules; one that the home does not have is made."""
        with self._home() as home:
            self._make_sure(home)
            self._let_be_due(home, due=True)

    def disable(self) -> None:
        """Let it be due no more until it is enabled; what runs goes on."""
        with self._home() as home:
            self._let_be_due(home, due=False)

    def remove(self, preserve_container: bool = False) -> None:  # noqa: ARG002 -- there are none yet
        """Take it out of the home; its history stays, and what runs goes on."""
        with self._home() as home:
            home.remove(self.name)

    def logs(self, n_lines: int = 1000) -> str:
        """Return what its last run has written, as far as it was kept; at most so many lines of its end."""
        with self._home() as home:
            last = home.get(self.name).last
            if last is None:
                return ""
            handle = home.handle(last.id)
            lines = (handle.output("stdout") + handle.output("stderr")).splitlines()
            return "\n".join(lines[-n_lines:])

    def status(self) -> dict[str, Any]:
        """Return what it is doing, how its last run went, and when it is due next."""
        with self._home() as home:
            line, coming = home.get(self.name), home.coming(self.name, most=1)
            last = line.last
            busy = [
                word for word, count in (("running", line.running), ("waiting", line.queued + line.waiting)) if count
            ]
            return {
                "name": self.name,
                "state": busy[0] if busy else "inactive",
                "enabled": line.stored.wants_slots,
                "last_run": None if last is None else last.id,
                "last_state": None if last is None else last.state.value,
                "last_start": None if last is None else last.started_at,
                "last_finish": None if last is None else last.ended_at,
                "exit_code": None if last is None else last.exit_code,
                "reason": "" if last is None else last.reason,
                "next_start": coming[0] if coming else None,
            }

    def next_runs(self, n: int = 5) -> list[str]:
        """Return the next n times that a calendar or a period of it is due."""
        found = [text for schedule in schedules_of(self.start_schedule) for text in schedule.next_runs(n)]
        return sorted(found, key=lambda text: text.split(" ", 1)[1])[:n]

    def show_files(self) -> None:
        """Refuse: units come with a later rota."""
        raise NotYet("show_files", _UNITS)

    def render_unit_files(self) -> None:
        """Refuse: units come with a later rota."""
        raise NotYet("render_unit_files", _UNITS)

    def __repr__(self) -> str:
        said = {"name": self.name, "command": self.start_command, "schedule": self.start_schedule}
        return f"{type(self).__name__}({', '.join(f'{key}={value}' for key, value in said.items() if value)})"


class ServiceRegistry:
    """Services by name; what is done with it is done with each."""

    def __init__(self, *services: Service) -> None:
        self._services = {service.name: service for service in services}

    def add(self, *services: Service) -> None:
        """Take services in; one of the same name takes the other's place."""
        self._services.update({service.name: service for service in services})

    @property
    def names(self) -> list[str]:
        """The names."""
        return list(self._services)

    @property
    def services(self) -> list[Service]:
        """The services."""
        return list(self._services.values())

    def create(self) -> None:
        """Create all."""
        self._each("create")

    def start(self) -> None:
        """Start all."""
        self._each("start")

    def stop(self) -> None:
        """Stop all."""
        self._each("stop")

    def restart(self) -> None:
        """Restart all."""
        self._each("restart")

    def enable(self) -> None:
        """Enable all."""
        self._each("enable")

    def disable(self) -> None:
        """Disable all."""
        self._each("disable")

    def remove(self) -> None:
        """Remove all."""
        self._each("remove")

    def _each(self, what: str) -> None:
        for service in self.services:
            getattr(service, what)()

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    def __setitem__(self, name: str, service: Service) -> None:
        self._services[name] = service

    def __contains__(self, name: object) -> bool:
        return name in self._services

    def __iter__(self) -> Iterator[Service]:
        return iter(self.services)

    def __len__(self) -> int:
        return len(self._services)

    def __repr__(self) -> str:
        return f"ServiceRegistry({', '.join(self.names)})"
