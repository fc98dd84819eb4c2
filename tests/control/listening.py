"""What the tests of telling share: tellers beside an engine's side, and what they tell in a few words."""

from __future__ import annotations

from rota.control.facts import Began, Ended, Fact, Lines, Noted, Skipped
from rota.control.telling import Teller
from rota.process.live import SpoolReader
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore

from .test_following import EngineSide


class Listening:
    """The client's side: tellers that come one after the other, and all that they told."""

    def __init__(self, engine: EngineSide, folder: str) -> None:
        self.engine = engine
        self.store = TableStore(SqliteDatabase(f"{folder}/rota.db", patience=5.0, checkpoints=False))
        self.live = SpoolReader(folder)
        self.facts: list[Fact] = []
        self.kept: str | None = None
        self.begin()

    def begin(self) -> None:
        self.teller = Teller(self.store, self.live, self.engine.clock, self.kept)
        self.kept = self.teller.cursor

    def look(self) -> list[Fact]:
        """Look until there is no more to tell."""
        before = len(self.facts)
        self.facts += self.teller.look()
        while self.teller.behind:
            self.facts += self.teller.look()
        self.kept = self.teller.cursor
        return self.facts[before:]

    def be_killed(self) -> None:
        """Begin anew from what was kept last."""
        self.teller.close()
        self.begin()

    def close(self) -> None:
        self.teller.close()
        self.store.close()


def brief(facts: list[Fact]) -> list[str]:
    """Return facts as words, output without regard to how it was cut."""
    told: list[str] = []
    for fact in facts:
        match fact:
            case Began(job=job, attempt=attempt):
                told.append(f"{job} {attempt} began")
            case Lines(job=job, stream=stream, lines=lines, dropped=dropped):
                told += [f"{job} {stream}: {line.decode()}" for line in lines]
                told += [] if dropped is None else [f"{job} {stream} lost {dropped}"]
            case Ended(job=job, attempt=attempt, state=state, again=again, started_at=started):
                told.append(
                    f"{job} {attempt} {state}{'' if again is None else f', then {again}'}{' unbegun' * (not started)}"
                )
            case Skipped(job=job, count=count, reason=reason):
                told.append(f"{job} skipped {count}: {reason}")
            case Noted(text=text):
                told.append(text)
    return told
