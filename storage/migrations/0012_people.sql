-- People and devices that were deleted: the row and what was measured stay, everything unique about it is free again.

ALTER TABLE users
    ADD COLUMN deleted_at timestamptz;

ALTER TABLE devices
    ADD COLUMN deleted_at timestamptz;

GRANT SELECT (deleted_at) ON users TO leadwire_reader;
GRANT SELECT (deleted_at) ON devices TO leadwire_reader;
GRANT SELECT (created_at) ON user_sessions TO leadwire_reader; -- logins are counted

DROP INDEX users_username_key;
DROP INDEX users_email_key;
ALTER TABLE users DROP CONSTRAINT users_serial_number_key;
CREATE UNIQUE INDEX users_username_key ON users (lower(username)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_serial_number_key ON users (serial_number) WHERE deleted_at IS NULL;

ALTER TABLE devices DROP CONSTRAINT devices_device_serial_key;
CREATE UNIQUE INDEX devices_device_serial_key ON devices (device_serial) WHERE deleted_at IS NULL;

-- Lists of devices go by the order of their registration, lists of alarms by urgency.
CREATE INDEX devices_registered_at_idx ON devices (registered_at, device_id) WHERE deleted_at IS NULL;
CREATE INDEX ecg_alarms_urgency_idx ON ecg_alarms (
    array_position(ARRAY['low', 'medium', 'high'], priority), raised_at, alarm_id
);

-- A page of a list reads keys only, and rows for what it shows. Nearly every row has the normal label: to list those
-- needs no index on labels, and one that leaves them out stays small.
DROP INDEX ecg_metrics_user_id_recorded_at_idx;
CREATE INDEX ecg_metrics_user_id_recorded_at_idx ON ecg_metrics (user_id, recorded_at, device_id);
DROP INDEX ecg_metrics_arrhythmia_type_recorded_at_idx;
CREATE INDEX ecg_metrics_arrhythmia_type_idx ON ecg_metrics (arrhythmia_type, recorded_at, device_id)
    WHERE arrhythmia_type <> 'Normal Sinus Rhythm';
CREATE INDEX ecg_metrics_user_id_arrhythmia_type_idx ON ecg_metrics (user_id, arrhythmia_type, recorded_at, device_id)
    WHERE arrhythmia_type <> 'Normal Sinus Rhythm';

-- A doctor cares for a patient once at a time.
UPDATE care_assignments AS old
SET ended_at = old.assigned_at
WHERE old.ended_at IS NULL AND EXISTS (
    SELECT
    FROM care_assignments AS newer
    WHERE newer.doctor_id = old.doctor_id
        AND newer.patient_id = old.patient_id
        AND newer.ended_at IS NULL
        AND newer.assigned_at > old.assigned_at
);
CREATE UNIQUE INDEX care_assignments_open_key ON care_assignments (doctor_id, patient_id) WHERE ended_at IS NULL;
