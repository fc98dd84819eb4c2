"""Roles, scopes, and what stands in the audit, in words."""

from __future__ import annotations

from rota.model.access import Kind, Role, Scope

ROLES = {
    Role.VIEWER: "sees jobs, runs, output and the ledger",
    Role.OPERATOR: "sees all of that, and runs, cancels, retries, pauses and resumes; drains hosts",
    Role.ADMIN: "does all that; makes and changes jobs, which is to run anything here, manages people; reads the audit",
}
SCOPES = {
    Scope.READ: "see jobs, runs, output and the ledger",
    Scope.RUN: "run, cancel, retry, pause and resume; drain hosts",
    Scope.WRITE: "make, change and remove jobs, which is to run anything here",
    Scope.ADMIN: "manage people and tokens, and read the audit",
}
LIFETIMES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}
"""For how many days a token is good."""

_HOW = {
    "local": "The system says that this connection is yours, and nobody has to sign in yet.",
    "link": "You came by the link of this home, and nobody has to sign in yet.",
    Kind.SESSION.value: "You have signed in with this browser.",
    Kind.TOKEN.value: "Your request shows a token.",
    "access": "Your request shows an access token.",
    "signature": "Your request is signed.",
}
_WAYS = {
    "local": "as the owner",
    "link": "by the link",
    "password": "with a password",
    Kind.SESSION.value: "in a browser",
    Kind.TOKEN.value: "with a token",
    Kind.REFRESH.value: "with a refresh token",
    "access": "with an access token",
    "signature": "with a signature",
    "cli": "at the command line",
}
_DEEDS = {
    "auth.login": "sign in",
    "auth.logout": "sign out",
    "auth.token": "sign in with a program",
    "auth.refresh": "get the next access token",
    "host.drain": "drain the host",
    "host.forget": "forget the host",
    "host.resume": "let the host start runs again",
    "job.bulk": "change several jobs",
    "job.change": "change the job",
    "job.delete": "remove the job",
    "job.make": "make the job",
    "job.pause": "pause the job",
    "job.remove": "remove the job",
    "job.resume": "resume the job",
    "job.run": "run the job",
    "run.cancel": "cancel the run",
    "run.retry": "retry the run",
    "token.add": "make a token",
    "token.remove": "revoke a token",
    "user.add": "let somebody in",
    "user.change": "change somebody",
    "user.password": "change one's password",
    "user.remove": "remove somebody",
}
_OUTCOMES = {"ok": "done", "bad-request": "not understood"}


def how_in_words(how: str) -> str:
    """Say how it is known who somebody is."""
    return _HOW.get(how, how)


def way_in_words(how: str) -> str:
    """Say how somebody in the audit was known."""
    return _WAYS.get(how, how)


def deed_in_words(action: str) -> str:
    """Say what somebody wanted to do; of what was refused before that was known, the method of the request."""
    return _DEEDS.get(action, action)


def outcome_in_words(outcome: str) -> str:
    """Say what came of it."""
    return _OUTCOMES.get(outcome, outcome.replace("-", " "))
