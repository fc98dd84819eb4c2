"""A reader between a job and its output files, for jobs that cannot write into files of the engine's.

Run as a program: `relay.py ARGV…`. It starts the command with pipes, copies what comes to its own standard output and
error, and ends with the command's code. A daemon that the command leaves behind keeps its pipes: a copy of the relay
stays to read them, so that writing never kills it. It imports nothing of rota, so that it starts quickly.

`relay.py --given JSON ARGV…` first reads the variables that the JSON tells of (see reveal.py), gives them to the
command, and masks the secrets among them in everything that it copies, and in the result that a function leaves.
"""

import os
import select
import signal
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing would make every start slower, and is not needed to run
    from typing import Protocol

    class Masking(Protocol):
        """Lets a stream through, without what must not be seen."""

        def take(self, content: bytes) -> bytes:
            """Return what can be shown now."""

        def end(self) -> bytes:
            """Return what waited for more."""


_SURVIVED = [getattr(signal, f"SIG{name}") for name in ("HUP", "INT", "QUIT", "ALRM", "TERM", "USR1", "USR2")]
"""What a job sends to its whole group must not take the reader away from its pipes."""
_GIVEN, _RESULT = "--given", "ROTA_RESULT_FILE"
_LOOK_AGAIN = 0.02
"""Where a child's end is no descriptor to wait for."""


class Plain:
    """What stands for a mask where there is nothing to mask; see mask.py."""

    def take(self, content: bytes) -> bytes:
        """Return everything."""
        return content

    def end(self) -> bytes:
        """Return what waited: nothing does."""
        return b""


class Sink:
    """Where a pipe's content goes."""

    def __init__(self, target: int, mask: "Masking") -> None:
        self._target, self._mask = target, mask

    def take(self, content: bytes) -> None:
        """Write all that can be shown."""
        self._write(self._mask.take(content))

    def end(self) -> None:
        """Write what waited for more."""
        self._write(self._mask.end())

    def _write(self, content: bytes) -> None:
        """Write all of it; what a full disk has no room for is dropped: a reader that ends would kill the job."""
        try:
            while content:
                content = content[os.write(self._target, content) :]
        except OSError:
            return


def relay(argv: list[str], environment: dict[str, str], masks: list[bytes]) -> int:
    """Run the command, copy its streams until it ends, and return a shell's exit code.

    1. Start the command with a pipe for each stream.
    2. Copy until both pipes end, or the command has ended and its pipes are empty.
    3. If somebody still has a pipe open then, leave a copy of this process to read on.
    """
    for number in _SURVIVED:
        signal.signal(number, lambda *_: None)
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    for pipe in (out_write, err_write):
        with suppress(OSError):
            os.fchmod(pipe, 0o622)  # a job that runs as another user may open its /dev/stderr by name
    actions = [(os.POSIX_SPAWN_DUP2, out_write, 1), (os.POSIX_SPAWN_DUP2, err_write, 2)]
    defaults = [signal.SIGPIPE, signal.SIGXFSZ, *_SURVIVED]
    try:
        child = os.posix_spawn(argv[0], argv, environment, file_actions=actions, setsigdef=defaults)
    except OSError as error:
        sys.stderr.write(f"rota: cannot start {argv[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126
    os.close(out_write)
    os.close(err_write)
    pipes = {pipe: Sink(target, _mask(masks)) for pipe, target in ((out_read, 1), (err_read, 2))}
    code = _copy(pipes, child)
    if masks:
        _mask_result(environment.get(_RESULT, ""), masks)
    if pipes and os.fork() == 0:
        _copy(pipes, None)
        os._exit(0)
    return code


def _copy(pipes: dict[int, Sink], child: int | None) -> int:
    """Copy the pipes to their targets; with a child, stop when it has ended and nothing more is there to read."""
    watched = os.pidfd_open(child) if child is not None and hasattr(os, "pidfd_open") else None
    code = None
    while pipes and (child is None or code is None):
        extra = [] if watched is None else [watched]
        ready = select.select([*pipes, *extra], [], [], _LOOK_AGAIN if child is not None and watched is None else None)[
            0
        ]
        _pump(pipes, ready)
        if child is not None:
            done, status = os.waitpid(child, os.WNOHANG)
            code = _shell_code(status) if done else None
    if child is None:
        return 0
    if code is None:
        code = _shell_code(os.waitpid(child, 0)[1])
    while pipes and _pump(pipes, select.select(list(pipes), [], [], 0)[0]):
        pass
    return code


def _pump(pipes: dict[int, Sink], ready: list[int]) -> bool:
    """Copy once from each pipe that is ready, forget those that ended, and tell whether any was ready."""
    for pipe in [fd for fd in ready if fd in pipes]:
        content = os.read(pipe, 1 << 16)
        if content:
            pipes[pipe].take(content)
        else:
            os.close(pipe)
            pipes.pop(pipe).end()
    return bool(ready)


def _shell_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _mask(masks: list[bytes]) -> "Masking":
    if not masks:
        return Plain()
    from mask import Mask

    found: Masking = Mask(masks)
    return found


def _mask_result(path: str, masks: list[bytes]) -> None:
    """Take secrets out of what a Python function has left as its result, as they are and as JSON writes them."""
    if not path or not os.path.exists(path):
        return
    import json

    forms = list(masks)
    for text in map(os.fsdecode, masks):
        wide = json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape")
        forms += [json.dumps(text).encode()[1:-1], wide]
    mask = _mask(forms)
    with open(path, "r+b") as file:
        content = file.read()
        shown = mask.take(content) + mask.end()
        file.seek(0)
        file.write(shown)
        file.truncate()


def main(words: list[str]) -> int:
    """Run the command; with `--given` its variables are read first."""
    if words[0] != _GIVEN:
        return relay(words, dict(os.environ), [])
    sys.path.append(os.path.dirname(__file__))  # at the end, where it hides nothing
    from reveal import CannotReveal, reveal

    try:
        environment, masks = reveal(words[1])
    except CannotReveal as error:
        sys.stderr.write(f"rota: {error}\n")
        return 126
    return relay(words[2:], environment, masks)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
