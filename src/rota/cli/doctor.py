"""`rota doctor`: a check-up."""

from __future__ import annotations

import click

from rota.cli.options import home_option, json_option
from rota.cli.progress import working
from rota.cli.session import Session
from rota.cli.tables import print_json, print_paragraph
from rota.cli.text import styled

_SIGNS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.command("doctor")
@json_option
@home_option
@click.pass_obj
def doctor_command(session: Session, as_json: bool) -> int:
    """Check this home and this machine; exits with 1 when something is broken."""
    import msgspec

    from rota.control.health import check

    client = session.client()
    with working("checking the store"):
        findings = check(client.facts(), client.store, client.clock.now())
    failed = any(finding.verdict == "fail" for finding in findings)
    if as_json:
        print_json([msgspec.structs.asdict(finding) for finding in findings])
        return int(failed)
    widest = max(len(finding.what) for finding in findings)
    for finding in findings:
        sign = styled(_SIGNS[finding.verdict], finding.verdict)
        print_paragraph(finding.text, 8 + widest, f"{sign}  {finding.what.ljust(widest)}  ")
        if finding.advice:
            print_paragraph(f"-> {finding.advice}", 8 + widest)
    return int(failed)
