-- Reports and uploads (the seed system's names), the engine's checkpoints, and the audit log.

CREATE TABLE ecg_reports (
    report_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid REFERENCES users ON DELETE CASCADE,
    device_id     uuid REFERENCES devices ON DELETE SET NULL,
    filename      varchar(255) NOT NULL,
    file_path_s3  varchar(500),
    file_size     bigint CHECK (file_size >= 0),
    file_type     varchar(10) NOT NULL DEFAULT 'pdf',
    heart_rate    integer,
    pr_interval   integer,
    qrs_duration  integer,
    qtc_interval  integer,
    st_segment    varchar(50),
    qrs_axis      varchar(20),
    patient_name  varchar(255),
    patient_age   integer CHECK (patient_age BETWEEN 0 AND 150),
    report_date   timestamptz,
    machine_serial varchar(100),
    upload_status varchar(20) NOT NULL DEFAULT 'pending' CHECK (upload_status IN ('pending', 'uploaded', 'failed')),
    cloud_service varchar(20) CHECK (cloud_service IN ('s3', 'azure', 'gcs', 'local')),
    cloud_url     text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    uploaded_at   timestamptz
);

CREATE INDEX ecg_reports_user_id_idx ON ecg_reports (user_id);
CREATE INDEX ecg_reports_device_id_idx ON ecg_reports (device_id);
CREATE INDEX ecg_reports_report_date_idx ON ecg_reports (report_date);
CREATE INDEX ecg_reports_upload_status_idx ON ecg_reports (upload_status);
CREATE INDEX ecg_reports_created_at_idx ON ecg_reports (created_at);

CREATE TABLE upload_logs (
    log_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid REFERENCES users ON DELETE CASCADE,
    file_path     varchar(500) NOT NULL,
    filename      varchar(255) NOT NULL,
    file_type     varchar(20) CHECK (file_type IN ('report', 'metric', 'user_signup')),
    cloud_service varchar(20) CHECK (cloud_service IN ('s3', 'azure', 'gcs', 'local')),
    cloud_url     text,
    upload_status varchar(20) CHECK (upload_status IN ('success', 'failed', 'duplicate')),
    error_message text,
    uploaded_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, filename, uploaded_at)
);

CREATE INDEX upload_logs_filename_idx ON upload_logs (filename);
CREATE INDEX upload_logs_uploaded_at_idx ON upload_logs (uploaded_at);

CREATE TABLE checkpoints (
    topic          text NOT NULL,
    partition      integer NOT NULL CHECK (partition >= 0),
    next_offset    bigint NOT NULL CHECK (next_offset >= 0),
    engine_version text NOT NULL,
    state          bytea NOT NULL,
    saved_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

CREATE TABLE audit_log (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL, -- a user_id, a device_id, or the name of a service
    action   text NOT NULL,
    subject  text NOT NULL,
    address  text
);

CREATE INDEX audit_log_at_idx ON audit_log (at);
CREATE INDEX audit_log_subject_at_idx ON audit_log (subject, at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a row that corrects it instead', TG_TABLE_NAME;
END $$;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
