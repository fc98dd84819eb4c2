"""Noticing that job files have changed: by looking, on real files, with helpers that only say that they ran."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

import pytest

from rota.engine.reloading import Reloader, digest, look_at
from rota.errors import StoreBusy

from .machine import ListLog


class End(NamedTuple):
    code: int | None
    lines: list[str]


class Helpers:
    def __init__(self):
        self.started = []
        self.end = End(0, ["Applied: 1 changed."])
        self.holds = False

    def start(self, name, words):
        self.started.append((name, *words))

    def take_end(self, name):
        return None if self.holds else self.end


class Looker:
    def __init__(self, *paths, applied=None, told=None):
        self.log, self.helpers, self.now = ListLog(), Helpers(), 0.0
        self.reloader = Reloader(
            [str(path) for path in paths], ["apply", "-f", "x"], self.helpers, self.log, applied, told
        )
        self.pass_(1)

    def pass_(self, seconds):
        """Let time pass as the engine does, and return how often something was started in it."""
        before, end = len(self.helpers.started), self.now + seconds
        while self.now < end:
            rest = self.reloader.tick(self.now)
            assert rest > 0
            self.now = min(end, self.now + rest)
        return len(self.helpers.started) - before


@pytest.fixture
def file(tmp_path):
    (tmp_path / "rota.yaml").write_text("a")
    return tmp_path / "rota.yaml"


def write(file):
    file.write_text(file.read_text() + "x")


def rename_over(file):
    (file.parent / "new").write_text(file.read_text())
    os.replace(file.parent / "new", file)


def swap_link(file):
    os.symlink("releases/2/rota.yaml", file.parent / "link")
    os.replace(file.parent / "link", file)


CHANGES = {
    "a write": write,
    "an editor's rename": rename_over,
    "a time": lambda file: os.utime(file, ns=(1, 1)),
    "a mode": lambda file: file.chmod(0o755),
    "a removal": os.unlink,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_acted_on_once_within_two_seconds(file, change):
    looker = Looker(file)
    assert 0 == looker.pass_(10)
    change(file)
    assert 1 == looker.pass_(1.5)
    assert 0 == looker.pass_(10)
    assert [("apply", "apply", "-f", "x")] == looker.helpers.started


def test_a_link_that_is_swapped_is_a_change(tmp_path):
    for number in (1, 2):
        (tmp_path / "releases" / str(number)).mkdir(parents=True)
        (tmp_path / "releases" / str(number) / "rota.yaml").write_text("same")
    os.symlink("releases/1/rota.yaml", tmp_path / "rota.yaml")
    looker = Looker(tmp_path / "rota.yaml")
    swap_link(tmp_path / "rota.yaml")
    assert 1 == looker.pass_(1.5)


def test_a_link_to_a_directory_that_is_swapped_is_a_change(tmp_path):
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.yaml").write_text("same")
    os.symlink("1", tmp_path / "rota.d")
    looker = Looker(f"{tmp_path}/rota.d/")
    os.symlink("2", tmp_path / "link")
    os.replace(tmp_path / "link", tmp_path / "rota.d")
    assert 1 == looker.pass_(1.5)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "b.yaml").write_text("new"),
        lambda folder: (folder / "a.yaml").unlink(),
        lambda folder: (folder / "a.yaml").write_text("longer than before"),
        lambda folder: os.replace(folder / "a.yaml", folder / "c.yaml"),
        shutil.rmtree,
    ],
)
def test_a_change_in_a_directory_is_noticed(tmp_path, change):
    (tmp_path / "rota.d").mkdir()
    (tmp_path / "rota.d" / "a.yaml").write_text("a")
    looker = Looker(f"{tmp_path}/rota.d/")
    change(tmp_path / "rota.d")
    assert 1 == looker.pass_(1.5)


def test_what_a_job_writes_beside_the_job_files_is_no_change_of_them(tmp_path):
    looker = Looker(f"{tmp_path}/", tmp_path)
    for name in ("out.log", ".hidden.yaml", "data.db"):
        (tmp_path / name).write_text("x")
        assert 0 == looker.pass_(5)


def test_where_files_of_any_name_are_meant_all_of_them_count(tmp_path):
    looker = Looker(f"{tmp_path}/*")
    (tmp_path / "backup").write_text("x")
    assert 1 == looker.pass_(1.5)


def test_files_that_never_hold_still_are_spoken_of(file):
    looker = Looker(file)
    for _ in range(60):
        write(file)
        assert 0 == looker.pass_(0.5)
    said = "the job files keep changing; they are read when they have held still for a moment"
    assert [said] == looker.log.texts("WARNING"), "it is said once"


def test_a_file_that_comes_later_is_noticed(tmp_path):
    looker = Looker(tmp_path / "rota.yaml")
    (tmp_path / "rota.yaml").write_text("a")
    assert 1 == looker.pass_(1.5)


def test_a_file_that_is_being_written_is_left_alone_until_it_holds_still(file):
    looker = Looker(file)
    for _ in range(6):
        write(file)
        assert 0 == looker.pass_(0.5)
    assert 1 == looker.pass_(1.0)


def test_a_change_while_a_helper_runs_is_acted_on_after_it(file):
    looker = Looker(file)
    looker.helpers.holds = True
    write(file)
    assert 1 == looker.pass_(1.5)
    write(file)
    assert 0 == looker.pass_(5)
    looker.helpers.holds = False
    assert 1 == looker.pass_(2)


def test_a_signal_reads_the_files_at_once_changed_or_not(file):
    looker = Looker(file)
    looker.reloader.ask()
    looker.reloader.tick(looker.now)
    assert 1 == len(looker.helpers.started)


def test_what_apply_says_goes_into_the_log(file):
    looker = Looker(file)
    looker.helpers.end = End(0, ["~ backup", "rota: warning: look here", "Applied: 1 changed."])
    write(file)
    looker.pass_(3)
    assert ["~ backup", "Applied: 1 changed."] == looker.log.texts("INFO")[1:]
    assert ["look here"] == looker.log.texts("WARNING")


def test_broken_files_change_nothing_and_say_why(file):
    looker = Looker(file)
    looker.helpers.end = End(2, ["rota.yaml:2:3: unknown key 'rn'", "rota: 1 problem in the job files"])
    write(file)
    assert 1 == looker.pass_(10)
    assert [
        "rota.yaml:2:3: unknown key 'rn'",
        "1 problem in the job files",
        "the job files were not applied; the jobs stay as they are",
    ] == looker.log.texts("ERROR")


def test_somebody_who_was_quicker_is_given_way_to_a_few_times(file):
    looker = Looker(file)
    looker.helpers.end = End(4, ["rota: the jobs are at revision 3"])
    write(file)
    assert 6 == looker.pass_(20)
    assert "the jobs stay as they are" in looker.log.texts("ERROR")[-1]


def test_a_name_that_belongs_to_somebody_else_is_not_tried_again(file):
    looker = Looker(file)
    looker.helpers.end = End(4, ["rota.yaml:2:3: job 'a' was made by hand"])
    write(file)
    assert 1 == looker.pass_(10)


def test_a_helper_that_cannot_be_started_is_said(file):
    looker = Looker(file)

    def refuse(name, words):
        raise OSError("no more processes")

    looker.helpers.start = refuse
    write(file)
    looker.pass_(2)
    assert [
        "rota apply cannot be started: no more processes",
        "the job files were not applied; the jobs stay as they are",
    ] == looker.log.texts("ERROR")
    del looker.helpers.start
    assert 1 == looker.pass_(31), "it is tried again by itself"


@pytest.mark.parametrize("code", [1, -9, 137, None])
def test_a_helper_that_failed_for_no_fault_of_the_files_is_tried_again_later_and_later(file, code):
    looker = Looker(file)
    looker.helpers.end = End(code, [])
    write(file)
    assert [1, 1, 0, 1] == [looker.pass_(seconds) for seconds in (10, 25, 50, 20)]
    assert [
        f"rota apply has ended without a word (exit code {code}): a full disk looks like this, or a kill",
        "the job files were not applied; the jobs stay as they are",
    ] == looker.log.texts("ERROR"), "it is said once"
    looker.helpers.end = End(0, [])
    assert [1, 0] == [looker.pass_(seconds) for seconds in (130, 1000)]


def test_a_flood_of_words_is_cut(file):
    looker = Looker(file)
    looker.helpers.end = End(0, [f"+ job-{n}" for n in range(100)])
    write(file)
    looker.pass_(2)
    assert ["… 59 lines more …", "+ job-99"] == looker.log.texts("INFO")[-2:], "the sum is not cut off"


def test_every_warning_is_heard_in_a_flood_of_words(file):
    looker = Looker(file)
    looker.helpers.end = End(0, [f"+ job-{n}" for n in range(100)] + ["rota: warning: look here"])
    write(file)
    looker.pass_(2)
    assert ["look here"] == looker.log.texts("WARNING")


def test_files_whose_fault_was_mended_elsewhere_are_applied_without_a_change_of_theirs(file):
    looker = Looker(file)
    looker.helpers.end = End(4, ["rota.yaml:2:3: job 'a' was made by hand"])
    write(file)
    looker.pass_(25)
    looker.helpers.end = End(0, ["Applied: 1 added."])
    assert 1 == looker.pass_(10)
    assert "Applied: 1 added." == looker.log.texts("INFO")[-1]


def test_an_apply_that_takes_very_long_is_spoken_of_once(file):
    looker = Looker(file)
    looker.helpers.holds = True
    write(file)
    looker.pass_(100)
    assert ["rota apply has been at work for 30s; the jobs stay as they are until it ends"] == (
        looker.log.texts("WARNING")
    )


def test_what_an_apply_has_left_is_taken_up_and_watched(file, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("a")
    looker = Looker(file, told=lambda: {str(file): None, str(other): None})
    write(file)
    assert 1 == looker.pass_(3)
    write(other)
    assert 1 == looker.pass_(3), "a change of what was read with it is a change"
    assert 0 == looker.pass_(10)


def test_a_store_that_cannot_be_read_ends_nothing_and_is_asked_again(file, tmp_path):
    other, asked = tmp_path / "other.yaml", []

    def told():
        asked.append(1)
        if len(asked) < 4:
            raise StoreBusy("it is locked")
        return {str(file): None, str(other): None}

    looker = Looker(file, told=told)
    write(file)
    assert 1 == looker.pass_(5)
    assert 4 == len(asked)
    other.write_text("a")
    assert 1 == looker.pass_(3), "what was told late is watched"


def test_what_a_failed_apply_has_read_is_watched_so_that_it_can_be_mended(file, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("a")
    looker = Looker(file, told=lambda: {str(file): None, str(other): None})
    looker.helpers.end = End(2, ["rota.yaml:1:1: no"])
    write(file)
    assert 1 == looker.pass_(3)
    write(other)
    assert 1 == looker.pass_(3)


def test_a_failed_apply_is_not_repeated_at_once_for_what_an_earlier_one_has_read(file):
    looker = Looker(file, told=lambda: {str(file): [(str(file), 1, 1, 1, 1)]})
    looker.helpers.end = End(2, ["rota.yaml:1:1: no"])
    write(file)
    assert 1 == looker.pass_(10)


def test_what_has_changed_since_it_was_read_for_the_first_time_is_read_again(file, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("a")
    read = look_at([str(other)])[str(other)]
    write(other)
    looker = Looker(file, told=lambda: {str(file): None, str(other): read})
    write(file)
    assert 2 == looker.pass_(5)


def test_a_change_between_the_first_apply_and_the_engine_s_start_is_noticed(file):
    seen = digest(look_at([str(file)]))
    write(file)
    looker = Looker(file, applied=seen)
    assert 1 == len(looker.helpers.started)
