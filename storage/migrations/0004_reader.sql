-- The api's role: it can read what the api serves, and nothing else. A table made later is readable from the start
-- (default privileges); the three tables that hold secrets are granted column by column.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'leadwire_reader') THEN
        CREATE ROLE leadwire_reader LOGIN;
    END IF;
EXCEPTION
    -- Roles are of the whole cluster: the migration of another database has just made it.
    WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- A superuser may SET ROLE to anyone; any other owner of the schema needs to be a member.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT leadwire_reader TO %I', current_user);
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO leadwire_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO leadwire_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO leadwire_reader;

REVOKE SELECT ON users, devices, user_sessions, checkpoints FROM leadwire_reader;
GRANT SELECT (
    user_id, username, email, full_name, age, gender, phone, address, serial_number, role, is_active,
    created_at, updated_at, last_login
) ON users TO leadwire_reader;
GRANT SELECT (
    device_id, user_id, device_type, device_serial, device_name, manufacturer, model, firmware_version, is_active,
    registered_at, last_seen
) ON devices TO leadwire_reader;
GRANT SELECT (session_id, user_id, expires_at, closed_at) ON user_sessions TO leadwire_reader;
