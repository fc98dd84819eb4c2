"""What the verbs on job files share: finding the files, reading them, and saying everything that is wrong at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import click

from rota.cli.session import Session, here
from rota.errors import UsageError

if TYPE_CHECKING:
    from rota.config.problems import Problem, Problems
    from rota.config.reading import File, Reading
    from rota.control.applying import Wish

_SHOWN = 200


def absolute(roots: Iterable[str]) -> list[str]:
    """Return the absolute paths of files and directories as they were named; links are not followed."""
    from rota.config.absolute import absolute as absolute_path

    directory, roots = here(), list(roots)
    if "" in roots:  # it would be the current directory, which nobody means who writes -f "$FILE"
        raise UsageError('-f needs the name of a file or a directory, not ""; is a variable not set?')
    return list(dict.fromkeys(absolute_path(directory, root) for root in roots))


class JobFiles:
    """The job files that are meant, and what is in them."""

    def __init__(self, session: Session, format_name: str | None) -> None:
        from rota.config.formats.registry import by_name
        from rota.config.problems import Problems
        from rota.config.reading import content_of, files_of, files_of_modules

        if format_name is not None:
            by_name(format_name)
        self.directory = here()
        self.format_name = format_name
        self.problems: Problems = Problems()
        self.roots = session.files()
        self.modules = session.modules()
        self.paths = [*absolute(self.roots), *(module.word for module in self.modules)]
        self.files: list[File] = files_of(self.roots, self.directory, format_name, self.problems)
        self.files += files_of_modules(self.modules)
        self.contents = [content_of(file, self.problems) for file in self.files]

    @cached_property
    def key(self) -> str:
        """The name under which the store remembers what these files were."""
        from rota.config.fingerprint import digest_of, key_of

        return key_of(digest_of(self.paths))

    @cached_property
    def served_key(self) -> str:
        """The name under which the store has what an engine must know of these files."""
        from rota.config.fingerprint import digest_of
        from rota.config.served import served_key

        return served_key(digest_of(self.paths))

    def unchanged_since(self, known: str | None, revision: int) -> int | None:
        """Return how many jobs there are, if nothing has changed since these files were applied.

        What a module declares may depend on anything, so only an import tells.
        """
        from rota.config.fingerprint import unchanged

        if self.problems or self.modules:
            return None
        return unchanged(known, self.files, self.contents, os.environ, self.format_name, revision)

    def read(self) -> Reading:
        """Read everything; what is wrong is in the problems."""
        from rota.config.reading import read

        return read(self.files, self.contents, os.environ, self.format_name, self.problems)

    def read_sound(self, *, warn: bool = True) -> Reading:
        """Read everything; raises with all problems at once if there are any.

        `warn` is false for a caller that says the warnings itself, if nothing is worse.
        """
        return self.checked(self.read(), warn=warn)

    def checked(self, found: Reading, *, warn: bool = True) -> Reading:
        """Return what was read; raises with all problems at once if there are any."""
        if warn or self.problems:
            show_problems(self.problems.warnings, warning=True)
        if self.problems:
            raise bad_files(self.problems)
        return found

    def wish(self, reading: Reading, *, prune: bool = False, take_over: bool = False) -> Wish:
        """Return what the files ask for."""
        from rota.control.applying import Wanted, Wish

        return Wish(
            jobs=tuple(Wanted(found.job, file.origin, str(found.mark)) for file, found in reading.jobs),
            origins=frozenset(file.origin for file in reading.files),
            pools=reading.pools,
            skipped=frozenset(name for jobset in reading.jobsets for name in jobset.skipped),
            unsure=frozenset(
                file.origin for file, jobset in zip(reading.files, reading.jobsets, strict=True) if jobset.nameless
            ),
            prune=prune,
            take_over=take_over,
        )


def show_problems(problems: Iterable[Problem], *, warning: bool = False) -> None:
    """Say problems on standard error, one a line."""
    from rota.cli.text import safe

    for problem in problems:
        click.echo(f"rota: warning: {safe(str(problem))}" if warning else safe(str(problem)), err=True)


def bad_files(problems: Problems) -> UsageError:
    """Say all problems, as editors read them, and return the error that ends the verb."""
    show_problems(list(problems)[:_SHOWN])
    more = f" (the first {_SHOWN} are shown)" if len(problems) > _SHOWN else ""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return UsageError(f"{count} in the job files{more}; nothing was changed")
