-- The audit log becomes a chain: every line holds the hash of the one before it, so that none can be changed, taken out
-- or put in between without every later hash being wrong. `leadwire audit verify` computes it again by itself.

ALTER TABLE audit_log
    ADD COLUMN patient_id    uuid, -- whose data it was; no foreign key: the line outlives the patient's account
    ADD COLUMN detail        text,
    ADD COLUMN entry         bigint, -- 1, 2, 3 … without a gap, which audit_id can't promise
    ADD COLUMN previous_hash bytea, -- of the entry before; 32 zero bytes for entry 1
    ADD COLUMN hash          bytea;

CREATE INDEX audit_log_patient_id_at_idx ON audit_log (patient_id, at);
CREATE INDEX audit_log_actor_at_idx ON audit_log (actor, at);

-- One field of what is hashed: 00 for NULL, else 01, the length in bytes (4, big-endian) and the bytes; so no two lines
-- give the same text however their fields are cut.
CREATE FUNCTION audit_field(value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN value IS NULL THEN '\x00'::bytea
        ELSE '\x01'::bytea || int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8')
    END
$$;

-- storage/audit_chain.py says the same in Python, and a test holds the two together. `at` counts as whole microseconds.
CREATE FUNCTION audit_hash(line audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(
        audit_field(encode(line.previous_hash, 'hex'))
        || audit_field(line.entry::text)
        || audit_field(line.audit_id::text)
        || audit_field((extract(epoch FROM line.at) * 1000000)::bigint::text)
        || audit_field(line.actor)
        || audit_field(line.action)
        || audit_field(line.subject)
        || audit_field(line.address)
        || audit_field(line.patient_id::text)
        || audit_field(line.detail)
    )
$$;

-- The lines there are, in the order they came.
ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_append_only;

DO $$
DECLARE
    line     audit_log;
    number   bigint := 0;
    previous bytea := decode(repeat('00', 32), 'hex');
BEGIN
    FOR line IN SELECT * FROM audit_log ORDER BY audit_id LOOP
        number := number + 1;
        line.entry := number;
        line.previous_hash := previous;
        previous := audit_hash(line);
        UPDATE audit_log
        SET entry = line.entry, previous_hash = line.previous_hash, hash = previous
        WHERE audit_id = line.audit_id;
    END LOOP;
END $$;

ALTER TABLE audit_log ENABLE TRIGGER audit_log_is_append_only;

ALTER TABLE audit_log
    ALTER COLUMN entry SET NOT NULL,
    ALTER COLUMN previous_hash SET NOT NULL,
    ALTER COLUMN hash SET NOT NULL,
    ADD CONSTRAINT audit_log_entry_key UNIQUE (entry);

-- The lock is held until the transaction ends: whoever takes it next finds this line, or finds that it never came.
CREATE FUNCTION chain_audit_line() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(x'6175646974'::bigint); -- "audit"
    SELECT l.entry, l.hash INTO NEW.entry, NEW.previous_hash
    FROM public.audit_log AS l
    ORDER BY l.entry DESC
    LIMIT 1;
    NEW.entry := coalesce(NEW.entry, 0) + 1;
    NEW.previous_hash := coalesce(NEW.previous_hash, decode(repeat('00', 32), 'hex'));
    NEW.hash := public.audit_hash(NEW);
    RETURN NEW;
END $$;

CREATE TRIGGER audit_log_is_a_chain BEFORE INSERT ON audit_log
    FOR EACH ROW EXECUTE FUNCTION chain_audit_line();

CREATE TRIGGER audit_log_is_never_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The api's second role, which notes who read whose data. It can execute one function, and read and write nothing.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'leadwire_auditor') THEN
        CREATE ROLE leadwire_auditor LOGIN;
    END IF;
EXCEPTION
    -- Roles are of the whole cluster: the migration of another database has just made it.
    WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- A superuser may SET ROLE to anyone; any other owner of the schema needs to be a member.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT leadwire_auditor TO %I', current_user);
    END IF;
END $$;

-- One line for each element of the arrays. A line that names no patient is given the one whom an id in its subject
-- leads to: a user, or the one of a report, recording or device. What somebody read of themselves is left out, unless it left the house as a file.
CREATE FUNCTION append_reads(
    ats timestamptz[], actors text[], actions text[], subjects text[], addresses text[], patients uuid[], details text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    line    record;
    about   uuid[];
    written bigint := 0;
BEGIN
    FOR line IN
        SELECT *
        FROM unnest(ats, actors, actions, subjects, addresses, patients, details)
            AS l (at, actor, action, subject, address, patient_id, detail)
    LOOP
        IF line.action !~ '^[a-z_]+\.(read|download|link|watch)$' THEN
            RAISE EXCEPTION 'action % is no read: only reads are noted by this role', line.action;
        END IF;
        about := ARRAY(
            SELECT m[1]::uuid FROM regexp_matches(line.subject, '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})', 'g') AS m
        );
        line.patient_id := coalesce(
            line.patient_id,
            (SELECT u.user_id FROM public.users AS u WHERE u.user_id = ANY(about) LIMIT 1),
            (SELECT r.user_id FROM public.ecg_reports AS r WHERE r.report_id = ANY(about) LIMIT 1),
            (SELECT r.user_id FROM public.recordings AS r WHERE r.recording_id = ANY(about) LIMIT 1),
            (SELECT d.user_id FROM public.devices AS d WHERE d.device_id = ANY(about) LIMIT 1)
        );
        CONTINUE WHEN line.actor = line.patient_id::text AND line.action !~ '\.(download|link)$';
        INSERT INTO public.audit_log (at, actor, action, subject, address, patient_id, detail)
        VALUES (line.at, line.actor, line.action, line.subject, line.address, line.patient_id, line.detail);
        written := written + 1;
    END LOOP;
    RETURN written;
END $$;

REVOKE EXECUTE ON FUNCTION
    append_reads(timestamptz[], text[], text[], text[], text[], uuid[], text[]), audit_field(text), audit_hash(audit_log),
    chain_audit_line(), refuse_change()
FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO leadwire_auditor;
GRANT EXECUTE ON FUNCTION append_reads(timestamptz[], text[], text[], text[], text[], uuid[], text[])
    TO leadwire_auditor;
