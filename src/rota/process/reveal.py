"""Gives a job the variables that are read only when it starts: files of NAME=VALUE lines, and secrets.

Run as a program it becomes the command: `reveal.py GIVEN ARGV…`. The relay imports it, because it must know what to
mask. GIVEN is JSON: `files` (paths), `secrets` (variable to place) and `keep` (variables that files must not change).
It says where values are, never what they are: nothing of a value gets into the store, a command line or a log.

It imports nothing of rota, and runs with the engine's rights, also where the job then runs as another user.
"""

import json
import os
import sys

_LONGEST = 64 * 1024
_SHORTEST_LINE = 6
"""A line of a secret that has several lines is masked by itself, too, from this length on."""
_OWN = "ROTA_"
"""How the names begin by which rota tells a job who it is, and finds its processes again when it must end them."""


class CannotReveal(Exception):
    """A file or a secret cannot be read; the text says which and why."""


def reveal(given: str) -> tuple[dict[str, str], list[bytes]]:
    """Return the environment of the command, and what must not be seen in its output."""
    told = json.loads(given)
    environment = dict(os.environ)
    keep = set(told.get("keep", ()))
    for path in told.get("files", ()):
        environment |= {name: value for name, value in _read_lines(path).items() if name not in keep}
    masks: set[bytes] = set()
    for name, place in told.get("secrets", {}).items():
        if name.startswith(_OWN) and name in os.environ:
            raise CannotReveal(f"secret {name}: rota itself sets this variable; give the secret another name")
        environment[name] = _read_secret(name, place)
        masks |= _masks_of(os.fsencode(environment[name]))
    return environment, sorted(masks, key=len, reverse=True)


def _masks_of(value: bytes) -> set[bytes]:
    lines = [line.strip() for line in value.splitlines()]
    return {value, *(line for line in lines if len(line) >= _SHORTEST_LINE)} - {b""}


def _read_secret(name: str, place: str) -> str:
    scheme, _, rest = place.partition(":")
    if scheme == "file":
        value = _content(rest, f"secret {name}").rstrip("\r\n")
    elif scheme == "env":
        if rest not in os.environ:
            raise CannotReveal(
                f"secret {name}: the engine has no variable {rest}; set it where `rota serve` is started"
            )
        value = os.environ[rest]
    else:
        value = _from_keyring(name, rest)
    if "\0" in value:
        raise CannotReveal(f"secret {name}: {place} holds a NUL character, which no variable can")
    return value


def _from_keyring(name: str, rest: str) -> str:
    service, _, user = rest.partition("/")
    try:
        import keyring
    except ImportError:
        raise CannotReveal(
            f"secret {name} is in the keyring, which needs the package keyring: pip install 'rota[keyring]'"
        ) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 -- whatever a back end throws
        raise CannotReveal(f"secret {name}: the keyring fails: {error}") from None
    if value is None:
        raise CannotReveal(
            f"secret {name}: the keyring of this user has no {user!r} of {service!r}; "
            f"put it there with: keyring set {service} {user}"
        )
    return str(value)


def _content(path: str, what: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise CannotReveal(f"{what}: {path} cannot be read: {error.strerror}") from None
    if len(text) > _LONGEST:
        raise CannotReveal(f"{what}: {path} is longer than {_LONGEST} characters")
    return text


def _read_lines(path: str) -> dict[str, str]:
    """Read NAME=VALUE lines; '#' begins a comment, `export` is passed over, quotes around a value are taken off."""
    found = {}
    for number, line in enumerate(_content(path, "env_file").splitlines(), 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or "\0" in text:
            # Not what is in it: this is kept with the job's output, and the line may be one of a key.
            raise CannotReveal(
                f"env_file: {path}:{number}: this line is not NAME=VALUE; a value is one line, and what has more "
                'can be a secret: env: {NAME: {from: "file:path"}}'
            )
        if name.startswith(_OWN):
            raise CannotReveal(
                f"env_file: {path}:{number}: names that begin with {_OWN} are rota's own, and are not taken from "
                "files; take the line out"
            )
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name] = value
    return found


def main(words: list[str]) -> int:
    """Become the command, with its variables."""
    try:
        environment, _ = reveal(words[0])
        os.execve(words[1], words[1:], environment)  # noqa: S606 -- no shell is meant
    except CannotReveal as error:
        sys.stderr.write(f"rota: {error}\n")
    except OSError as error:
        sys.stderr.write(f"rota: cannot start {words[1]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126
    return 126


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
