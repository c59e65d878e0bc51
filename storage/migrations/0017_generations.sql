-- What of a person's data is current, as two values that every change replaces in its own transaction: whoever keeps an
-- answer keeps it under the value of its time, and looks for it under that of now. Kept by triggers, so that no way to
-- write is forgotten. Random and not counted up: no restore and no copy ever comes by the same value again.

CREATE TABLE generations (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    account uuid NOT NULL DEFAULT gen_random_uuid(), -- profile, role, sessions
    reports uuid NOT NULL DEFAULT gen_random_uuid() -- the reports about this person
) WITH (fillfactor = 50);

INSERT INTO generations (user_id) SELECT user_id FROM users;

CREATE FUNCTION begin_generations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.generations (user_id) VALUES (NEW.user_id) ON CONFLICT (user_id) DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION change_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.generations SET account = gen_random_uuid() WHERE user_id = OLD.user_id;
    RETURN NULL;
END $$;

CREATE FUNCTION change_reports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE public.generations SET reports = gen_random_uuid() WHERE user_id = OLD.user_id;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.user_id IS DISTINCT FROM OLD.user_id) THEN
        UPDATE public.generations SET reports = gen_random_uuid() WHERE user_id = NEW.user_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER users_begin_generations AFTER INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION begin_generations();
CREATE TRIGGER users_change_account AFTER UPDATE ON users
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION change_account();
-- The hash of each new access token changes nothing that anybody keeps.
CREATE TRIGGER user_sessions_change_account AFTER UPDATE ON user_sessions
    FOR EACH ROW
    WHEN (OLD.closed_at IS DISTINCT FROM NEW.closed_at OR OLD.expires_at IS DISTINCT FROM NEW.expires_at)
    EXECUTE FUNCTION change_account();
CREATE TRIGGER user_sessions_end_account AFTER DELETE ON user_sessions
    FOR EACH ROW EXECUTE FUNCTION change_account();
CREATE TRIGGER ecg_reports_change_reports AFTER INSERT OR UPDATE OR DELETE ON ecg_reports
    FOR EACH ROW EXECUTE FUNCTION change_reports();

REVOKE EXECUTE ON FUNCTION begin_generations(), change_account(), change_reports() FROM PUBLIC;
