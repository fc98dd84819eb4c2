"""Where a store on PostgreSQL is: a URL of libpq's, with three words of rota's own among its parameters.

    postgresql://rota@db.example/ops?schema=rota&pooled=yes&prepare=5

`schema` names the schema that holds the store, so that several fit into one database. `pooled` says that a proxy shares
connections between transactions, so that nothing may be left on them in between. `prepare` says after how many uses a
statement is kept ready on the server.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from rota.errors import BadHome

SCHEMES = ("postgresql", "postgres")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_YES, _NO = frozenset({"1", "yes", "true", "on"}), frozenset({"", "0", "no", "false", "off"})
_OWN = frozenset({"schema", "pooled", "prepare"})
_SECRET = frozenset({"password", "sslpassword"})
_WHERE = ("host", "hostaddr", "port", "dbname", "service")
_USUAL_SCHEMA = "rota"


class Address(msgspec.Struct, frozen=True):
    """A store on PostgreSQL."""

    libpq: str
    """What libpq is given; it may hold a password."""
    shown: str
    """The same, with rota's own words and without the password, for people and files."""
    schema: str = _USUAL_SCHEMA
    pooled: bool = False
    prepare: int | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What two addresses of one store have in common."""
        parts = urlsplit(self.libpq)
        named = dict(parse_qsl(parts.query))
        return (*(named.get(word, "") for word in _WHERE), parts.netloc.rpartition("@")[2], parts.path, self.schema)


def is_address(text: str) -> bool:
    """Tell whether a text is a URL of PostgreSQL."""
    return text.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def parse_address(text: str) -> Address:
    """Read a URL; raises BadHome, never with the text itself, which may hold a password."""
    if not is_address(text):
        raise BadHome(
            "a store is named by a URL such as postgresql://rota@db.example/ops; see docs/how-to/postgresql.md"
        )
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 -- it is read to be checked
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise BadHome(
            f"the store's URL cannot be read: {_without_text(error)}; write % as %25 and @ as %40 in it"
        ) from None
    own = {key: value for key, value in given if key in _OWN}
    others = [(key, value) for key, value in given if key not in _OWN]
    schema = own.get("schema", _USUAL_SCHEMA)
    if not _SCHEMA.fullmatch(schema):
        raise BadHome(f"schema {schema!r} in the store's URL: a name is small letters, digits and '_', 63 at most")
    prepare = own.get("prepare", "")
    if prepare and not prepare.isdecimal():
        raise BadHome(
            f"prepare={prepare} in the store's URL: it is after how many uses a statement is kept ready, as in 5"
        )
    pooled = own.get("pooled", "").lower()
    if pooled not in _YES | _NO:
        raise BadHome(f"pooled={pooled} in the store's URL: it is yes or no")
    where = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    public = [(key, value) for key, value in given if key not in _SECRET]
    shown = f"{user}@{where}" if user else where
    return Address(
        libpq=_url(parts.scheme, parts.netloc, parts.path, others),
        shown=_url(parts.scheme, shown, parts.path, public),
        schema=schema,
        pooled=pooled in _YES,
        prepare=int(prepare) if prepare else None,
    )


def _url(scheme: str, where: str, path: str, given: list[tuple[str, str]]) -> str:
    query = urlencode(given, quote_via=quote, safe="/,=")
    return f"{scheme}://{where}{path}" + (f"?{query}" if query else "")


def _without_text(error: ValueError) -> str:
    return "its port is not a number" if "port" in str(error).lower() else "it is not a URL"
