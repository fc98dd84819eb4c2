"""Mail, against real servers on loopback."""

from __future__ import annotations

import ssl
import time

import pytest

from rota import Email
from rota.errors import BadNotifier, NotTold
from rota.observe.notifiers.named import notifier_named

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
HERE = "127.0.0.1"


def email(port: int, **more) -> Email:
    more = {"to": "you@example.com", "sender": "rota@example.com", "security": "none"} | more
    return Email(HERE, port=port, **more)


def text_of(letter) -> str:
    return "\n".join(line.rstrip() for line in letter.get_body(("plain",)).get_content().strip().splitlines())


def test_a_mail_arrives_as_plain_text_with_its_subject(mail_server):
    box = mail_server()
    email(box.port).notify("Run 1 of backup failed: <exit code 7>\nSecond & last line", "rota: backup failed")
    letter = box.letters[0]
    assert ("rota: backup failed", "you@example.com") == (letter["Subject"], letter["To"])
    assert "rota@example.com" in letter["From"]
    assert "Run 1 of backup failed: <exit code 7>\nSecond & last line" == text_of(letter)
    assert letter.get_body(("html",)) is None


def test_every_letter_of_every_language_arrives(mail_server):
    box = mail_server()
    email(box.port, to=["you@example.com", "me@example.com"]).notify("Größe: 5 €, 日本語, 🚀", "Übersicht\n日報")
    assert [("Übersicht 日報", "Größe: 5 €, 日本語, 🚀")] * 2 == [
        (letter["Subject"], text_of(letter)) for letter in box.letters
    ]
    assert {"you@example.com", "me@example.com"} == {letter["To"] for letter in box.letters}


@pytest.mark.parametrize("security", ["none", "starttls", "ssl"])
def test_it_logs_in_with_every_kind_of_security(mail_server, certificate, security):
    secured = {
        "none": {"auth_require_tls": False},
        "starttls": {"tls_context": certificate, "require_starttls": True},
        "ssl": {"ssl_context": certificate, "auth_require_tls": False},
    }
    box = mail_server(login=("me@example.com", "p@ss:w/rd% #1"), **secured[security])
    email(box.port, security=security, user="me@example.com", password="p@ss:w/rd% #1").notify("hello", "title")
    assert [("me@example.com", "p@ss:w/rd% #1")] == box.logins
    assert ["title"] == [letter["Subject"] for letter in box.letters]


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_refused_unless_asked_otherwise(
    mail_server, certificate, monkeypatch, security
):
    monkeypatch.delenv("SSL_CERT_FILE")
    how = {"ssl_context": certificate} if security == "ssl" else {"tls_context": certificate}
    box = mail_server(**how)
    with pytest.raises(NotTold, match="CERTIFICATE_VERIFY_FAILED"):
        email(box.port, security=security).notify("hello", "title")
    email(box.port, security=security, verify=False).notify("hello", "title")
    assert 1 == len(box.letters)


def test_a_server_that_wants_security_gets_no_mail_without(mail_server, certificate: ssl.SSLContext):
    box = mail_server(tls_context=certificate, require_starttls=True)
    with pytest.raises(NotTold, match="STARTTLS"):
        email(box.port).notify("hello", "title")
    with pytest.raises(NotTold, match="STARTTLS"):
        email(mail_server().port, security="starttls").notify("hello", "title")


def test_a_wrong_password_is_told_with_the_server_s_answer_and_never_shown(mail_server):
    box = mail_server(login=("me@example.com", "right"), auth_require_tls=False)
    made = email(box.port, user="me@example.com", password="hunter2")
    with pytest.raises(NotTold, match="535") as told:
        made.notify("hello", "title")
    assert [] == box.letters
    assert "hunter2" not in f"{told.value} {made!r} {vars(made)}"


def test_a_refused_receiver_is_told_with_the_server_s_answer_and_the_others_get_theirs(mail_server):
    box = mail_server(unknown="gone@example.com")
    with pytest.raises(NotTold, match=r"nobody of this name"):
        email(box.port, to=["gone@example.com", "you@example.com"]).notify("hello", "title")
    assert ["you@example.com"] == [letter["To"] for letter in box.letters]


def test_a_closed_port_is_told(closed_port):
    with pytest.raises(NotTold, match="refused"):
        email(closed_port).notify("hello", "title")


def test_a_server_that_says_nothing_is_given_up(silent_port):
    before = time.monotonic()
    with pytest.raises(NotTold, match="timed out"):
        email(silent_port, timeout=0.5).notify("hello", "title")
    assert time.monotonic() - before < 30


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"security": "tls"}, "it may be starttls, ssl, none"),
        ({"sender": None}, "no sender"),
        ({"user": "me"}, "no password for me"),
        ({"user": "me", "password": "é"}, "letters beyond ASCII"),
        ({"to": "nobody"}, "makes nothing of the addresses"),
        ({"to": []}, "to nobody"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_said(said, message):
    with pytest.raises(BadNotifier, match=message):
        email(25, **said)


def test_by_name_mail_goes_where_the_environment_says(mail_server, monkeypatch):
    monkeypatch.delenv("ROTA_EMAIL", raising=False)
    with pytest.raises(BadNotifier, match="ROTA_EMAIL is not set; set it to mailtos://"):
        notifier_named("email")
    box = mail_server(login=("me", "secret"), auth_require_tls=False)
    where = f"mailto://me:secret@{HERE}:{box.port}/?from=rota@example.com&to=you@example.com&mode=insecure"
    monkeypatch.setenv("ROTA_EMAIL", where)
    made = notifier_named("email")
    assert "mailto://…" == repr(made)
    made.notify("hello", "title")
    assert "title" == box.letters[0]["Subject"]
    monkeypatch.setenv("ROTA_EMAIL", "http://example.com")
    with pytest.raises(BadNotifier, match="is no mailto"):
        notifier_named("email")
