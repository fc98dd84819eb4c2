"""What a request to the web process works with: a store of its own while it is served, verbs and questions on it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from rota.control.accounts import Accounts
from rota.control.hosts import Hosts
from rota.control.questions import Questions
from rota.control.verbs import Verbs
from rota.ports import Clock, LiveOutputs, Store


class Desk(Protocol):
    """A store, and what can be asked of it and done to it; for one thread at a time."""

    @property
    def home(self) -> str: ...
    @property
    def home_id(self) -> str: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def store(self) -> Store: ...
    @property
    def verbs(self) -> Verbs: ...
    @property
    def questions(self) -> Questions: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def hosts(self) -> Hosts: ...
    @property
    def live(self) -> LiveOutputs: ...
    def engine_pid(self) -> int | None: ...
    def engine_is_stopped(self) -> bool: ...


class Desks(Protocol):
    """Lends a desk to whoever serves a request."""

    def borrow(self) -> AbstractContextManager[Desk]: ...
