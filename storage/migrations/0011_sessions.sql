-- What renews a session's access token: opaque tokens by their hash, each good for once. user_sessions.expires_at is
-- from now on the end of the session, and token_hash that of its newest access token.

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES user_sessions ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz -- a used one that comes again closes its session
);

CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);

REVOKE SELECT ON refresh_tokens FROM leadwire_reader;
