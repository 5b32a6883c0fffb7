-- SPDX-License-Identifier: Apache-2.0
-- The lab's database: DevOps MCP's tables and role. Runbook's own roles come from docs/postgresql.md.
-- For PostgreSQL 12 and later: gen_random_uuid() and xid8 are of 13.

CREATE TABLE api_keys (
    id             uuid PRIMARY KEY DEFAULT md5(random()::text || clock_timestamp())::uuid,
    name           text NOT NULL UNIQUE,
    key_hash       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz,
    revoked_at     timestamptz,
    revoked_reason text
);

CREATE TABLE contexts (
    id         bigserial PRIMARY KEY,
    key_name   text NOT NULL,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE vector_embeddings (
    id         bigserial PRIMARY KEY,
    context_id bigint REFERENCES contexts (id) ON DELETE CASCADE,
    embedding  real[] NOT NULL
);

-- The service.
CREATE ROLE mcp_user LOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys, contexts, vector_embeddings TO mcp_user;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mcp_user;

-- The lab's own witness: each change of a key's revocation leaves a row, so that a test sees one that ran twice.
CREATE TABLE api_key_audit (
    id         bigserial PRIMARY KEY,
    name       text NOT NULL,
    was        timestamptz,
    became     timestamptz,
    role       text NOT NULL DEFAULT session_user,
    xact       bigint NOT NULL DEFAULT txid_current(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION api_key_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO api_key_audit (name, was, became) VALUES (NEW.name, OLD.revoked_at, NEW.revoked_at);
    RETURN NEW;
END
$$;

CREATE TRIGGER api_key_witness AFTER UPDATE OF revoked_at ON api_keys
    FOR EACH ROW EXECUTE FUNCTION api_key_witness();
