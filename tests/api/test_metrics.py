"""Metrics are what the store says, by the names that the docs list; and the API explains itself without the network."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

DOCS = Path(__file__).parents[2] / "docs"


def test_metrics_are_the_store_s_totals(web):
    runs = [web.client.verbs.trigger("backup") for _ in range(3)]
    web.client.verbs.cancel(runs[0])
    web.start()
    answer = web.ask(path="/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert 1 == found["rota_runs_total", "backup", "cancelled"]
    assert (2, 0) == (found["rota_queued",], found["rota_running",])
    assert (1, 0) == (found["rota_jobs", "active"], found["rota_engine_up",])
    assert found["rota_engine_late_seconds",] > 0


def test_the_names_of_metrics_are_in_the_docs(alone):
    listed = set(
        re.findall(r"^\| `(rota_\w+)` \|", (DOCS / "reference" / "metrics.md").read_text("utf-8"), re.MULTILINE)
    )
    families = text_string_to_metric_families(alone.ask(path="/metrics").text)
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert listed == names


def test_metrics_need_the_right_to_read(peopled):
    assert 401 == peopled.ask(path="/metrics").status_code
    assert 200 == peopled.with_token(peopled.token("vera"), path="/metrics").status_code


def test_a_name_of_a_job_cannot_break_the_format(web):
    from rota.model.action import Shell
    from rota.model.job import Job

    name = 'a"b\\c{}'
    web.client.verbs.add(Job(name, Shell("true"), ()))
    web.client.verbs.cancel(web.client.verbs.trigger(name))
    web.start()
    families = text_string_to_metric_families(web.ask(path="/metrics").text)
    assert name in {sample.labels.get("job") for family in families for sample in family.samples}


def test_the_api_explains_itself_with_nothing_from_elsewhere_and_nothing_inline(alone):
    page = alone.ask(path="/docs").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [] == [source for source in sources if not source.startswith("/")]
    assert [] == re.findall(r"<script>|<style|\son\w+=|style=", page)
    for source in sources:
        answer = alone.ask(path=source)
        assert 200 == answer.status_code, source
    kinds = {source: alone.ask(path=source).headers["content-type"].partition(";")[0] for source in sources}
    assert "text/javascript" == kinds["/docs/start.js"] == kinds["/docs/swagger-ui-bundle.js"]
    assert "text/css" == kinds["/docs/swagger-ui.css"]


def test_the_description_of_the_api_is_whole(alone):
    described = alone.ask(path="/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert {"/metrics", "/api/v1/auth/login", "/api/v1/users/{name}", "/api/v1/audit"} <= set(described["paths"])
