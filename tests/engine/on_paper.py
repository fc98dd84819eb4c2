"""Files on paper, which say what a test wants them to say, and an applier on a machine on paper."""

from __future__ import annotations

from rota.control.applying import Applier, Wanted, Wish
from rota.control.editing import Editor
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec

FILE, OTHER = "file:/etc/rota.yaml", "file:/etc/other.yaml"


class Files:
    """Files on paper: what they say, and whether they are there, by their origins."""

    def __init__(self, world):
        self.world = world
        self.there = {"file:/etc/rota.yaml", "file:/etc/other.yaml"}
        self.applier = self.another()

    def another(self):
        editor = Editor(self.world.store, "home", self.world.ids.new)
        return Applier(self.world.store, self.world.clock, editor, self.world._poke)

    def look(self, *jobs, origin=FILE, prune=False, skipped=(), unsure=False, pools=None, take_over=False):
        wanted = tuple(Wanted(job, origin, f"rota.yaml:{n}:3") for n, job in enumerate(jobs, 2))
        doubted = frozenset({origin} if unsure else ())
        wish = Wish(wanted, frozenset({origin}), pools or {}, frozenset(skipped), doubted, prune, take_over)
        return self.applier.look(wish, self.there.__contains__)

    def apply(self, *jobs, **given):
        found = self.look(*jobs, **given)
        assert () == found.conflicts
        self.applier.write(found)
        return found

    def job(self, name):
        return self.world.store.jobs.get(name)

    def names(self):
        return self.world.store.jobs.names()


def job(name, every="1m", line="true", **given):
    specs = (ScheduleSpec("every", every),) if every else ()
    return Job(name, Shell(line), specs, timezone="UTC", **given)
