-- Alarms, and the limits that were set for patients. Few rows: plain tables on both databases.
-- The reader's role reads both from the start (0004's default privileges).

CREATE TABLE ecg_alarms (
    alarm_id        uuid PRIMARY KEY, -- made of device_id, kind and began_at
    device_id       uuid NOT NULL REFERENCES devices ON DELETE CASCADE,
    recording_id    uuid NOT NULL,
    user_id         uuid REFERENCES users ON DELETE SET NULL, -- whose device it was when the alarm was raised
    kind            text NOT NULL,
    priority        text NOT NULL CHECK (priority IN ('low', 'medium', 'high')),
    category        text NOT NULL CHECK (category IN ('physiological', 'technical')),
    latching        boolean NOT NULL,
    began_at        timestamptz NOT NULL,
    raised_at       timestamptz NOT NULL,
    ended_at        timestamptz, -- when the condition was over
    acknowledged_at timestamptz,
    acknowledged_by uuid REFERENCES users ON DELETE SET NULL,
    value           double precision,
    limit_value     double precision,
    confidence      double precision,
    active          boolean NOT NULL GENERATED ALWAYS AS (
        ended_at IS NULL OR (latching AND acknowledged_at IS NULL)
    ) STORED,
    UNIQUE (device_id, kind, began_at),
    CHECK (ended_at >= began_at)
);

CREATE INDEX ecg_alarms_active_idx ON ecg_alarms (device_id) WHERE active;
CREATE INDEX ecg_alarms_user_id_raised_at_idx ON ecg_alarms (user_id, raised_at);
CREATE INDEX ecg_alarms_raised_at_idx ON ecg_alarms (raised_at);

CREATE TABLE alarm_limits (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE, -- the patient
    low_bpm    integer NOT NULL CHECK (low_bpm > 0),
    high_bpm   integer NOT NULL,
    delay_s    integer NOT NULL CHECK (delay_s >= 0),
    off        text[] NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL,
    changed_by uuid REFERENCES users ON DELETE SET NULL,
    CHECK (high_bpm > low_bpm)
);
