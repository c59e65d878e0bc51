-- The archive: which hours of which recordings rest as WFDB records in the object store, and how far each device is.
-- No foreign keys, as the samples themselves have none: storage/archive_erasure.py takes a person's rows and files away.

CREATE TABLE archived_records (
    recording_id uuid NOT NULL,
    hour_at      timestamptz NOT NULL, -- of the UTC hour in which its stretches began
    device_id    uuid NOT NULL,
    generation   integer NOT NULL CHECK (generation >= 0), -- goes up when samples came late and it was written anew
    first_index  bigint NOT NULL,
    end_index    bigint NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL,
    sample_count bigint NOT NULL CHECK (sample_count > 0), -- per lead, of all its stretches
    hot_rows     bigint NOT NULL, -- of the rows of ecg_waveforms that it was last made of: how many,
    hot_samples  bigint NOT NULL, -- their samples per lead,
    hot_digest   bytea NOT NULL CHECK (octet_length(hot_digest) = 32), -- and SHA-256 over what they hold
    parts        jsonb NOT NULL, -- the WFDB records: first and end index, stretches, files with size and SHA-256
    bytes        bigint NOT NULL,
    state        text NOT NULL CHECK (state IN ('verified', 'expired')), -- expired: its rows have left ecg_waveforms
    verified_at  timestamptz NOT NULL,
    expired_at   timestamptz,
    PRIMARY KEY (recording_id, hour_at),
    CHECK (end_index > first_index)
);

CREATE INDEX archived_records_device_id_hour_at_idx ON archived_records (device_id, hour_at);
CREATE INDEX archived_records_recording_id_first_index_idx ON archived_records (recording_id, first_index);

-- One row for each device. Whoever moves its hours holds a lock on the row, so that one hour is taken by one process.
CREATE TABLE archive_progress (
    device_id  uuid PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
    next_at    timestamptz NOT NULL DEFAULT '1900-01-01 00:00Z', -- hours before it are archived; later samples wait for expiry
    held_until timestamptz, -- it failed for a reason that time alone may not mend, and is left alone until then
    held_why   text
);

CREATE INDEX archive_progress_next_at_idx ON archive_progress (next_at);

REVOKE SELECT ON archive_progress FROM leadwire_reader;
