-- Uploaded files: what each one is and whose, the deleted ones out of sight, and objects that still have to go.

ALTER TABLE ecg_reports
    ADD COLUMN sha256      bytea CHECK (octet_length(sha256) = 32),
    ADD COLUMN uploaded_by uuid, -- who sent it; null for the reports that workers write
    ADD COLUMN deleted_at  timestamptz;

-- The same file twice is one report, until it is deleted.
CREATE UNIQUE INDEX ecg_reports_user_id_sha256_key ON ecg_reports (user_id, sha256)
    WHERE uploaded_by IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE cloud_files (
    file_id       uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind          varchar(20) NOT NULL CHECK (kind IN ('file', 'user_signup')),
    filename      varchar(255) NOT NULL,
    file_path_s3  varchar(500) NOT NULL,
    file_size     bigint NOT NULL CHECK (file_size >= 0),
    file_type     varchar(10) NOT NULL,
    sha256        bytea NOT NULL CHECK (octet_length(sha256) = 32),
    uploaded_by   uuid NOT NULL,
    upload_status varchar(20) NOT NULL DEFAULT 'pending' CHECK (upload_status IN ('pending', 'uploaded', 'failed')),
    cloud_service varchar(20) CHECK (cloud_service IN ('s3', 'azure', 'gcs', 'local')),
    cloud_url     text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    uploaded_at   timestamptz,
    deleted_at    timestamptz
);

CREATE UNIQUE INDEX cloud_files_user_id_sha256_key ON cloud_files (user_id, sha256)
    WHERE kind = 'file' AND deleted_at IS NULL;
CREATE UNIQUE INDEX cloud_files_user_id_signup_key ON cloud_files (user_id)
    WHERE kind = 'user_signup' AND deleted_at IS NULL;
CREATE INDEX cloud_files_user_id_created_at_idx ON cloud_files (user_id, created_at);
CREATE INDEX cloud_files_created_at_idx ON cloud_files (created_at);

ALTER TABLE upload_logs
    ADD COLUMN file_size bigint,
    ADD COLUMN sha256    bytea,
    ADD COLUMN report_id uuid, -- no foreign keys: the line outlives what it tells about
    ADD COLUMN file_id   uuid;

ALTER TABLE upload_logs DROP CONSTRAINT upload_logs_file_type_check;
ALTER TABLE upload_logs ADD CONSTRAINT upload_logs_file_type_check
    CHECK (file_type IN ('report', 'metric', 'user_signup', 'file'));

-- Objects whose row is gone: each stays here until the store has removed it.
CREATE TABLE object_removals (
    key        varchar(500) PRIMARY KEY,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    tries      integer NOT NULL DEFAULT 0,
    tried_at   timestamptz
);

REVOKE SELECT ON object_removals FROM leadwire_reader;
