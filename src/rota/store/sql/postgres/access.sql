-- name: add_user
-- Somebody new; of two at once the second is told.
INSERT INTO "user" (name, role, password, created_at, changed_at)
VALUES (:name, :role, :password, :now, :now) ON CONFLICT DO NOTHING

-- name: set_user_password
-- A new password.
UPDATE "user" SET password = :password, changed_at = :now WHERE name = :name

-- name: set_user_role
-- Another role.
UPDATE "user" SET role = :role, changed_at = :now WHERE name = :name

-- name: drop_user
-- Somebody goes, and all of their credentials with them.
DELETE FROM "user" WHERE name = :name

-- name: user_by_name
-- One person.
SELECT * FROM "user" WHERE name = :name

-- name: all_users
-- Everybody, by name.
SELECT * FROM "user" ORDER BY name

-- name: add_credential
-- What its owner was just shown; only its digest is kept.
INSERT INTO credential (id, "user", kind, name, scopes, digest, created_at, expires_at, family)
VALUES (:id, :user, :kind, :name, :scopes, :digest, :now, :expires_at, :family)

-- name: credential_by_digest
-- Whose it is that somebody shows, if it is still good.
SELECT * FROM credential WHERE digest = :digest AND kind = :kind AND (expires_at IS NULL OR expires_at > :now)

-- name: credentials_of_user
-- A person's, or everybody's, of a kind, that are still good.
SELECT * FROM credential
 WHERE (:user = '' OR "user" = :user) AND kind = :kind AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY "user", created_at

-- name: note_use
-- When it was last shown, to the minute: not every request is a write.
UPDATE credential SET used_at = :now WHERE id = :id AND (used_at IS NULL OR used_at < :now - 60000000)

-- name: extend_credential
-- A session that is used goes on.
UPDATE credential SET expires_at = :expires_at WHERE id = :id

-- name: drop_credential
-- One is revoked.
DELETE FROM credential WHERE id = :id

-- name: credential_by_id
-- One of which only the id is known, if it is still good.
SELECT * FROM credential WHERE id = :id AND (expires_at IS NULL OR expires_at > :now)

-- name: spend_credential
-- A refresh token is exchanged: once.
UPDATE credential SET spent_at = :now WHERE id = :id AND spent_at IS NULL

-- name: head_of_family
-- The one refresh token of a family that is not spent; none once the family is revoked.
SELECT * FROM credential WHERE family = :family AND family <> '' AND spent_at IS NULL AND expires_at > :now

-- name: drop_family
-- A sign-in is over: all of its refresh tokens go, and its access tokens with them.
DELETE FROM credential WHERE family = :family AND family <> ''

-- name: drop_credentials_of_user
-- All of a person's of one kind are revoked.
DELETE FROM credential WHERE "user" = :user AND kind = :kind

-- name: use_nonce
-- Good once; a second time it changes nothing.
INSERT INTO nonce (nonce, expires_at) VALUES (:nonce, :expires_at) ON CONFLICT DO NOTHING

-- name: add_audit
-- Who did what.
INSERT INTO audit (at, who, how, action, target, outcome, address)
VALUES (:now, :who, :how, :action, :target, :outcome, :address)

-- name: audit_page
-- The audit, newest first, before the cursor.
SELECT * FROM audit WHERE id < :before AND (:who = '' OR who = :who) ORDER BY id DESC LIMIT :limit

-- name: drop_expired_credentials
-- What is good for nothing any more.
DELETE FROM credential WHERE id IN (SELECT id FROM credential WHERE expires_at <= :now LIMIT :limit)

-- name: drop_expired_nonces
-- A request with one of these is too old anyway.
DELETE FROM nonce WHERE nonce IN (SELECT nonce FROM nonce WHERE expires_at <= :now LIMIT :limit)

-- name: drop_old_audit
-- Lines of the audit older than it may be.
DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < :before LIMIT :limit)
