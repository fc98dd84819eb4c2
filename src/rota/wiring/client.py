"""What a door works with: a home's store and the verbs on it.

A client and an engine need different parts, and neither pays for the other's: what only one verb needs is imported
where it is put together.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from rota.clock import SystemClock
from rota.config.home import prepare_home
from rota.errors import BadHome
from rota.ids import RunIds
from rota.ports import Clock, LiveOutputs, Store
from rota.process.identity import is_stopped
from rota.process.lock import engine_pid
from rota.wiring.fleet import clock_of
from rota.wiring.homes import (
    has_store,
    home_identity,
    keep_to_zone,
    open_store,
    open_store_file,
    sqlite_version,
    web_address,
)
from rota.wiring.stores import address_of, store_path, store_shown

if TYPE_CHECKING:
    from rota.control.accounts import Accounts
    from rota.control.applying import Applier
    from rota.control.health import Facts
    from rota.control.hosts import Hosts
    from rota.control.pulse import Served
    from rota.control.questions import Questions
    from rota.control.verbs import Verbs


class Client:
    """What a door works with: a home's store and the verbs on it."""

    def __init__(self, home: str, *, must_exist: bool = False, clock: Clock | None = None) -> None:
        if must_exist and not has_store(home):
            raise BadHome(f"there is no rota home at {home}; `rota init` makes one, or name another with --home")
        prepare_home(home)
        self.home = home
        self.zone_warning = keep_to_zone()
        self.store: Store = open_store(home, engine=False)
        try:
            self.clock: Clock = clock_of(self.store, clock or SystemClock(), asks_by_itself=True)
            self.home_id = home_identity(self.store, home)
        except BaseException:
            self.store.close()
            raise

    @cached_property
    def verbs(self) -> Verbs:
        """The verbs that change something."""
        from rota.control.verbs import Verbs
        from rota.process.poke import poke

        return Verbs(self.store, self.clock, self.home_id, RunIds().new, lambda: poke(self.home))

    @cached_property
    def questions(self) -> Questions:
        """The questions that change nothing."""
        from rota.control.questions import Questions

        return Questions(self.store, self.clock)

    @cached_property
    def accounts(self) -> Accounts:
        """The verbs on people and credentials."""
        from rota.control.accounts import Accounts

        return Accounts(self.store, self.clock)

    @cached_property
    def hosts(self) -> Hosts:
        """The verbs and questions about hosts."""
        from rota.control.hosts import Hosts
        from rota.process.poke import poke

        return Hosts(self.store, self.clock, lambda: self.engine_pid() is not None, lambda: poke(self.home))

    @cached_property
    def applier(self) -> Applier:
        """What makes the jobs of files match the files."""
        from rota.control.applying import Applier
        from rota.control.editing import Editor
        from rota.process.poke import poke

        editor = Editor(self.store, self.home_id, RunIds().new)
        return Applier(self.store, self.clock, editor, lambda: poke(self.home))

    @property
    def store_path(self) -> str:
        """Where the store is: a file, or a server."""
        return store_shown(self.home)

    @property
    def live(self) -> LiveOutputs:
        """The output of attempts that are running now."""
        from rota.control.live import LiveAnywhere
        from rota.process.live import SpoolReader

        here = SpoolReader(os.path.join(self.home, "spool"))
        return LiveAnywhere(self.store, self.home_id, here) if self.store.is_shared else here

    def engine_pid(self) -> int | None:
        """Return the pid of this home's engine, or None when none runs."""
        return engine_pid(self.home)

    def served(self) -> Served:
        """Return who works on the store."""
        from rota.control.pulse import served

        return served(self.store, self.clock, self.engine_pid())

    def engine_is_stopped(self) -> bool:
        """Tell whether this home's engine is there but was stopped (SIGSTOP), as far as the system says that."""
        pid = self.engine_pid()
        return pid is not None and is_stopped(pid)

    def prune(self, progress: Callable[[int], None]) -> int:
        """Drop what is older than it may be, and return how many rows that were."""
        from rota.engine.pruning import Pruner
        from rota.engine.settings import Retention

        return Pruner(self.store, Retention()).all(self.clock.now(), progress)

    def backup(self, target: str, progress: Callable[[int, int], None]) -> list[str]:
        """Copy the store into a file that is not there yet, and return what a check of the copy finds."""
        self.store.upkeep.backup(target, progress)
        copy = open_store_file(target)
        try:
            return copy.upkeep.faults()
        finally:
            copy.close()

    def facts(self) -> Facts:
        """Gather what a check-up of this home looks at."""
        from rota.control.health import Facts
        from rota.control.pulse import silence
        from rota.plugins import ACTIONS, NOTIFIERS, SCHEDULES, names
        from rota.process.machine import machine_facts
        from rota.store.sqlite import file_system_of, wal_warning

        on_server = address_of(self.home) is not None
        return Facts(
            home=self.home,
            store=self.store_path,
            served=self.served(),
            silent=silence(self.store, self.clock),
            zone_warning=self.zone_warning,
            file_system=file_system_of(store_path(self.home)),
            sqlite=sqlite_version(),
            wal_warning="" if on_server else wal_warning(),
            server=self.store.upkeep.database() if on_server else "",
            machine=machine_facts(self.home, store_path(self.home)),
            plugins={group.removeprefix("rota."): names(group) for group in (SCHEDULES, ACTIONS, NOTIFIERS)},
            web=web_address(self.store, self.home, self.home_id),
            clock_off=SystemClock().now() - self.clock.now(),
        )

    def close(self) -> None:
        """Close the store."""
        self.store.close()
