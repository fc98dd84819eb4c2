"""Where a job may run, as people say it: the same words mean the same at every door."""

from __future__ import annotations

import pytest

from rota.config.own.runs_on import _read
from rota.errors import BadJob
from rota.model.host import RunsOn, check_host_name, parse_runs_on


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("all", RunsOn(all=True)),
        ("db-1", RunsOn(host="db-1")),
        ("gpu=a100", RunsOn(labels={"gpu": "a100"})),
        ("gpu=a100, disk=big", RunsOn(labels={"gpu": "a100", "disk": "big"})),
        ({"gpu": "a100", "rack": 7}, RunsOn(labels={"gpu": "a100", "rack": "7"})),
    ],
)
def test_a_place_to_run_means_the_same_typed_and_in_a_job_file(said, meant):
    assert meant == parse_runs_on(said) == _read(said)


def test_no_host_has_a_name_that_would_be_read_as_labels():
    with pytest.raises(BadJob, match="it would be read as something else"):
        check_host_name("gpu=a100")
