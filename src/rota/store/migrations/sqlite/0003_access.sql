-- Who may use the pages and the REST API, and who did what. Nothing here opens a door: passwords are argon2 hashes, and
-- of credentials, which are 256 random bits, there is a SHA-256.

CREATE TABLE user (
    name       TEXT PRIMARY KEY CHECK (name <> ''),
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    password   TEXT NOT NULL CHECK (password LIKE '$argon2%'),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE credential (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('token', 'session', 'refresh')),
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL CHECK (scopes <> ''),
    digest     TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    family     TEXT NOT NULL DEFAULT '',
    spent_at   INTEGER,
    CHECK (kind = 'token' OR expires_at IS NOT NULL),
    CHECK ((kind = 'refresh') = (family <> '')),
    CHECK (spent_at IS NULL OR kind = 'refresh')
) WITHOUT ROWID;
-- A person's credentials, to list and to revoke.
CREATE INDEX credential_of_user ON credential (user, kind, created_at);
-- Refresh tokens that came out of each other, of which one at most is not spent.
CREATE UNIQUE INDEX credential_head ON credential (family) WHERE family <> '' AND spent_at IS NULL;
-- All of them, to revoke them together.
CREATE INDEX credential_of_family ON credential (family) WHERE family <> '';
-- What has expired, to let it go.
CREATE INDEX credential_expires ON credential (expires_at) WHERE expires_at IS NOT NULL;

-- Numbers that were used once in signed requests, for as long as such a request is good.
CREATE TABLE nonce (
    nonce      TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX nonce_expires ON nonce (expires_at);

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    how     TEXT NOT NULL,
    action  TEXT NOT NULL CHECK (action <> ''),
    target  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
