"""Names for the jobs of a crontab: made of the line alone, so that no name passes to another command."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from rota.config.formats.crontab_names import plain_name

LINES = (
    "0 0 * * * echo zero",
    "0 1 * * * echo one",
    "0 2 * * * echo two",
    "0 3 * * * /opt/backup.sh >> /var/log/backup.log 2>&1",
    "0 4 * * * /opt/dump.sh now",
    "0 5 * * * cat%one",
    "0 6 * * * cat%two",
)


def names(files, *lines: str, path: str = "crontab") -> dict[str, str]:
    """Return the name of each line."""
    jobs = files.read(path, "\n".join(lines) + "\n").jobs
    return dict(zip(lines, jobs, strict=True))


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh --full", "backup"),
        ("cd /srv && ./dump.sh", "dump"),
        ("/usr/bin/python3 -u /opt/report.py x", "report"),
        ("python -m tools.clean --all", "tools.clean"),
        ("java -Xmx1g -jar /opt/app.jar", "app"),
        ("sudo -u www-data php /var/www/artisan schedule:run >> /dev/null 2>&1", "artisan"),
        ("nice -n 19 ionice -c3 rsync -a /a /b", "rsync"),
        ("timeout 5m curl -fsS https://example.org | grep ok", "curl"),
        ("flock -n /tmp/lock /opt/job.sh", "job"),
        ("test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )", "run-parts"),
        ("[ -f /x ] && /opt/y.sh", "y"),
        ("A=1 B=2 env C=3 make", "make"),
        ("bash -c 'cd /x && ./run.sh now'", "run"),
        (". /etc/profile; certbot renew", "certbot"),
        ("sleep 5", "sleep"),
        ("/bin/sh -c 'exit 3' || echo failed", "echo"),
        ("bash -c 'exit 3'", "bash"),
        ("python3 -c 'import x'", "python3"),
        ("if [ -d /x ]; then /opt/z.sh; fi", "z"),
        ("'unclosed", "unclosed"),
        ("&&", "job"),
    ],
)
def test_a_name_is_what_a_person_would_call_the_command(command, name):
    assert name == plain_name(command)


def test_a_line_has_the_same_name_whatever_stands_around_it(files):
    alone = {line: names(files, line)[line] for line in LINES}
    assert alone == names(files, *LINES)
    assert alone == names(files, *reversed(LINES))
    assert len(LINES) == len(set(alone.values()))


def test_a_command_that_is_one_word_is_called_by_it_and_any_other_has_letters(files):
    found = names(files, *LINES)
    assert "backup" == found[LINES[3]]
    assert re.fullmatch("dump-[0-9a-f]{4}", found[LINES[4]])
    assert "pwd" == names(files, "@daily pwd")["@daily pwd"]


def test_a_schedule_that_is_edited_keeps_the_name(files):
    assert names(files, "@daily echo one").popitem()[1] == names(files, "5 4 * * * echo one").popitem()[1]


def test_two_commands_of_one_name_both_have_letters_so_that_neither_takes_the_other_s(files):
    one, two = "@daily /a/run.sh", "@daily /b/run.sh"
    found = names(files, one, two)
    assert found == names(files, two, one)
    assert "run" not in found.values()
    assert found[one] == names(files, "0 5 * * * /a/run.sh", two)["0 5 * * * /a/run.sh"]


def test_the_same_command_at_several_times_is_told_apart_by_the_times(files):
    lines = ("0 1 * * * /opt/backup.sh", "0 2 * * * /opt/backup.sh", "0 3 * * * /opt/backup.sh")
    for order in permutations(lines):
        assert names(files, *lines) == names(files, *order)
    jobs = files.read("crontab", "@daily pwd\n@daily pwd\n").jobs
    first, second = jobs
    assert second == f"{first}-2"


def test_in_a_directory_of_crontabs_the_file_s_name_stands_in_front(files):
    files.write("cron.d/one", "@daily root pwd\n")
    files.write("cron.d/two", "@daily root pwd\n")
    assert ["one.pwd", "two.pwd"] == [name for file in ("one", "two") for name in files.read(f"cron.d/{file}").jobs]
