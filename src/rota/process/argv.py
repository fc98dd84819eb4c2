"""Every action is an argv: a pure function from an action to what is started."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from rota.errors import CannotStart
from rota.model.action import Command, Function, Python, Shell
from rota.model.job import Job
from rota.model.policy import OutputMode
from rota.model.settlement import Claimed
from rota.process.identity import MARK, mark_of

_OWN = "ROTA_"
LONGEST_ARGUMENT = 100_000
"""The kernel takes 128 KiB in one argument; longer ones travel in a file."""


class Start(msgspec.Struct, frozen=True):
    """What the launcher starts."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    argument_file: str | None = None
    """The content of the file that stands for `ARGUMENT_FILE` in argv."""
    payload: bytes | None = None
    """What the process finds to read at the descriptor `PAYLOAD`; it is in no file that has a name."""


ARGUMENT_FILE = "\0argument-file"
PAYLOAD = 5
RESULT_VARIABLE = "ROTA_RESULT_FILE"


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what jobs inherit: everything but rota's own settings."""
    return {name: value for name, value in environment.items() if not name.startswith(_OWN)}


def compile_start(
    claimed: Claimed,
    job: Job,
    base: Mapping[str, str],
    home: tuple[str, str],
    result: str,
    payload: bytes | None = None,
    *,
    outlives: bool = True,
) -> Start:
    """Compile a claimed run of a job to what is started.

    `home` is the home's id and directory; a payload is a function of this program, by value, whose process may outlive
    the program or not.
    """
    env = {**base, **_identity(job), **job.env}
    env.update({f"ROTA_PARAM_{name}": value for name, value in claimed.params.items()})
    env["ROTA_JOB"] = claimed.job_name
    env["ROTA_RUN_ID"] = claimed.run_id
    env["ROTA_ATTEMPT"] = str(claimed.attempt)
    env["ROTA_MAX_ATTEMPTS"] = str(job.policy.retries.count + 1)
    env["ROTA_TRIGGER"] = claimed.trigger.value
    if claimed.slot is None:
        env["ROTA_SLOT"], env["ROTA_LATENESS"] = "", "0"
    else:
        env["ROTA_SLOT"] = claimed.slot.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        env["ROTA_LATENESS"] = f"{max(0.0, (claimed.claimed_at - claimed.slot).total_seconds()):.3f}"
    env[MARK] = mark_of(home[0], claimed.run_id, claimed.attempt)
    # Absolute, because the shim's `cd` would look for a relative one in the job's CDPATH; below the home, because where
    # the engine was started is no business of the job's, and may be gone.
    cwd = os.path.join(home[1], os.path.expanduser(job.cwd)) if job.cwd else home[1]
    argv, argument_file = _argv(job, env, cwd, result, by_value=payload is not None, outlives=outlives)
    if job.user:
        argv = _as_user(job.user) + argv
    argv = _given(job) + argv
    # A shell drops variables whose names it could not set, such as my.property; `env` brings them back.
    odd = [f"{name}={value}" for name, value in env.items() if not _is_plain(name)]
    if odd:
        argv = [find_program("env", _DEFAULT_PATH, "/"), "--", *odd, *argv]
    return Start(argv, env, cwd, argument_file, payload)


@lru_cache(maxsize=4096)
def _is_plain(name: str) -> bool:
    """Tell whether a shell could set this variable; jobs share nearly all their names, so the answers are kept."""
    return name.isidentifier() and name.isascii()


def find_program(name: str, path: str, cwd: str) -> str:
    """Return the path of a program as execvp would find it; raises CannotStart with a shell's code."""
    if "/" in name:
        _check_path(os.path.join(cwd, name), cwd)
        return name
    denied = ""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(cwd, folder, name)
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return candidate
            denied = denied or candidate
    if denied:
        raise CannotStart(126, f"{denied} is not executable; try: chmod +x {denied}")
    raise CannotStart(127, f"no program named {name!r} on PATH ({path})")


def _check_path(path: str, cwd: str) -> None:
    """Say in our words what would make exec fail; a shell names a line of the shim."""
    if os.access(path, os.X_OK) or not os.path.isdir(cwd):
        return  # the shim says that it cannot change to the directory
    path = os.path.normpath(path)
    if os.path.exists(path):
        raise CannotStart(126, f"{path} is not executable; try: chmod +x {path}")
    raise CannotStart(127, f"no program at {path}")


_RELAY = os.path.join(os.path.dirname(__file__), "relay.py")
_REVEAL = os.path.join(os.path.dirname(__file__), "reveal.py")
_LINUX: bool = sys.platform == "linux"
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def _argv(
    job: Job, env: dict[str, str], cwd: str, result: str, *, by_value: bool, outlives: bool
) -> tuple[list[str], str | None]:
    action = job.action
    if isinstance(action, Function):
        if by_value:
            env[RESULT_VARIABLE] = result
            module = ["rota.call"] if outlives else ["rota.process.with_program", str(os.getpid())]
            return [sys.executable, "-P", "-m", *module, "--value", str(PAYLOAD), action.name], None
        if not action.target:
            raise CannotStart(
                126,
                f"the function {action.name} lives in the program that made the job, and only an engine in a program "
                "that has added it can call it; start that program, let it add the job again, or remove the job",
            )
        action = Python(action.target, action.args, action.kwargs)
    match action:
        case Shell(line=line) if len(line.encode()) > LONGEST_ARGUMENT:
            return ["/bin/sh", ARGUMENT_FILE], line
        case Shell(line=line):
            return ["/bin/sh", "-c", line], None
        case Python() as python:
            env[RESULT_VARIABLE] = result
            given = msgspec.json.encode({"args": python.args, "kwargs": python.kwargs}).decode()
            # -P: a file rota.py in the job's directory is not ours. Another interpreter may be too old to know it.
            interpreter = [python.interpreter] if python.interpreter else [sys.executable, "-P"]
            argv = [*interpreter, "-m", "rota.call", python.target]
            if len(given.encode()) > LONGEST_ARGUMENT:
                return [*argv, "--file", ARGUMENT_FILE], given
            return [*argv, given], None
        case Command(argv=words):
            return [find_program(words[0], env.get("PATH", _DEFAULT_PATH), cwd), *words[1:]], None


def _identity(job: Job) -> dict[str, str]:
    """Return what a login as the job's user would say of it; the job's own variables go first."""
    if not job.user:
        return {}
    entry = _account(job.user)
    return {"HOME": entry.pw_dir, "USER": job.user, "LOGNAME": job.user, "SHELL": entry.pw_shell or "/bin/sh"}


def _given(job: Job) -> list[str]:
    """Return the prefix that carries the output where that is to be, and reads what is read only now."""
    pipe = job.output_mode is OutputMode.PIPE
    if not job.secrets and not job.env_files:
        return [sys.executable, "-I", "-S", _RELAY] if pipe else []
    told = {"files": job.env_files, "secrets": job.secrets, "keep": [*job.env, *job.secrets]}
    given = msgspec.json.encode(told).decode()
    # Without -S where the keyring's package is needed: it is not in the standard library.
    packages = any(place.startswith("keyring:") for place in job.secrets.values())
    python = [sys.executable, "-I"] if packages else [sys.executable, "-I", "-S"]
    return [*python, _RELAY, "--given", given] if pipe else [*python, _REVEAL, given]


def _account(user: str) -> pwd.struct_passwd:
    if os.geteuid() != 0:
        raise CannotStart(126, f"user: {user} needs an engine that runs as root")
    try:
        return pwd.getpwnam(user)
    except KeyError as missing:
        raise CannotStart(126, f"no user named {user!r} on this machine") from missing


def _as_user(user: str) -> list[str]:
    """Return the prefix that runs a command as another user."""
    entry = _account(user)
    if _LINUX:
        who = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups"]
        return [find_program("setpriv", _DEFAULT_PATH, "/"), *who, "--"]
    return ["/usr/bin/sudo", "-n", "-E", "-u", user, "--"]
