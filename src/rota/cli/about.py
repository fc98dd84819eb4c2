"""`rota version` and `rota completion`."""

from __future__ import annotations

import sys

import click

from rota.cli.options import home_option, json_option
from rota.cli.tables import print_json

_SHELLS = ("bash", "zsh", "fish")


@click.command("version")
@json_option
@home_option
def version_command(as_json: bool) -> None:
    """Say which versions these are."""
    from platform import machine, python_version, system

    from rota import __version__
    from rota.wiring.homes import sqlite_version

    if as_json:
        print_json(
            {
                "rota": __version__,
                "python": python_version(),
                "sqlite": sqlite_version(),
                "system": system(),
                "machine": machine(),
                "executable": sys.executable,
            }
        )
        return
    click.echo(f"rota {__version__} (Python {python_version()}, SQLite {sqlite_version()}, {system()} {machine()})")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@home_option
def completion_command(shell: str) -> None:
    """Print a script that lets a shell complete verbs, options and job names.

    \b
    bash   eval "$(rota completion bash)"   in ~/.bashrc
    zsh    eval "$(rota completion zsh)"    in ~/.zshrc
    fish   rota completion fish | source    in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from rota.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None, "click knows these shells"
    completion = found(cli, {}, "rota", "_ROTA_COMPLETE")
    click.echo(completion.source_template % completion.source_vars())
