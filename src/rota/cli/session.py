"""What one call of the command line works with: the home that is meant, and a client on it when one is needed."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

import click

from rota.errors import BadHome

if TYPE_CHECKING:
    from rota.config.modules import Module
    from rota.wiring.client import Client


class Session:
    """Finds the home once, and opens it when somebody asks."""

    def __init__(self) -> None:
        self.home_flag: str | None = None
        self.file_flags: tuple[str, ...] = ()
        self.module_flags: tuple[str, ...] = ()
        self._client: Client | None = None

    @cached_property
    def home(self) -> str:
        """The home that is meant."""
        from rota.config.home import find_home
        from rota.config.where import default_in

        named = self.home_flag or os.environ.get("ROTA_HOME") or ""
        if os.path.isabs(os.path.expanduser(named)):  # the current directory may even be gone
            return find_home(self.home_flag, os.environ, os.sep)
        directory = here()
        file = os.path.expanduser(self.file_flags[0]) if self.file_flags else default_in(directory)
        if self.module_flags and not self.file_flags:
            module = self.modules()[0]
            file = os.path.join(module.directory, module.name)
        return find_home(self.home_flag, os.environ, directory, file)

    def modules(self) -> list[Module]:
        """Return the modules that are meant."""
        if not self.module_flags:
            return []
        from rota.config.modules import modules_named

        return modules_named(self.module_flags, here())

    def files(self) -> list[str]:
        """Return the job files that are meant: those that were named, or the usual ones if no module was, either.

        Raises when nothing was named and nothing is in the usual places.
        """
        from rota.config.where import chosen

        if self.module_flags and not self.file_flags:
            return []
        return chosen(self.file_flags, os.environ, here(), own=self._is_users)

    @property
    def has_files(self) -> bool:
        """Tell whether job files or modules were named, or files are in the usual places."""
        from rota.config.where import usual

        return bool(self.file_flags or self.module_flags) or usual(os.environ, here(), own=self._is_users) is not None

    @property
    def _is_users(self) -> bool:
        """Tell whether the home is that of the user's own job files, or the one that the environment names."""
        from rota.config.home import is_home_for
        from rota.config.where import config_directory

        if self.home_flag is None and os.environ.get("ROTA_HOME"):
            return True
        return is_home_for(self.home, config_directory(os.environ), os.environ)

    @property
    def has_home(self) -> bool:
        """Tell whether the home has been used before."""
        from rota.wiring.homes import has_store

        return has_store(self.home)

    def client(self, *, make: bool = False) -> Client:
        """Open the home; one that is not there is made only for verbs that make something."""
        if self._client is None:
            from rota.wiring.client import Client

            self._client = Client(self.home, must_exist=not make)
        return self._client

    def close(self) -> None:
        """Close what was opened."""
        if self._client is not None:
            self._client.close()

    def say_without_engine(self, text: str, *, always: bool = False) -> None:
        """Say something on standard error if no engine runs; without `always` only to a person at a terminal.

        An engine that runs and does nothing is told of always: whoever started it relies on it.
        """
        from rota.cli.text import error_is_terminal

        client = self.client()
        by = client.served()
        if not by.by_anybody:
            if always or error_is_terminal():
                click.echo(f"rota: no engine is running for {self.home}; {text}", err=True)
            return
        from rota.control.pulse import silence, silence_text

        if silent := silence(client.store, client.clock):
            click.echo(f"rota: {silence_text(by, silent)}", err=True)


def here() -> str:
    """Return the current directory."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise BadHome("the current directory has been deleted; change to another one") from None
