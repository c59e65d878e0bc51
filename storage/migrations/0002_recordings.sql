-- What devices recorded: the recordings, the samples that never came, and what was found in the rest.
-- The four growing tables carry no foreign keys: a row of theirs belongs to the moment it was recorded in, and
-- checking two parents for each beat would cost more than writing it. Their keys hold the time, as hypertables demand.

CREATE TABLE recordings (
    recording_id uuid PRIMARY KEY,
    device_id    uuid NOT NULL REFERENCES devices ON DELETE CASCADE,
    user_id      uuid REFERENCES users ON DELETE SET NULL, -- whose device it was when the recording began
    started_at   timestamptz NOT NULL,
    rate_hz      double precision NOT NULL CHECK (rate_hz > 0),
    leads        text[] NOT NULL CHECK (cardinality(leads) > 0),
    uv_per_lsb   double precision[] NOT NULL CHECK (cardinality(uv_per_lsb) = cardinality(leads)),
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX recordings_device_id_started_at_idx ON recordings (device_id, started_at);
CREATE INDEX recordings_user_id_idx ON recordings (user_id);

CREATE TABLE recording_gaps (
    recording_id uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    first_index  bigint NOT NULL CHECK (first_index >= 0),
    end_index    bigint NOT NULL,
    PRIMARY KEY (recording_id, first_index),
    CHECK (end_index > first_index)
);

CREATE TABLE ecg_waveforms (
    recording_id uuid NOT NULL,
    device_id    uuid NOT NULL,
    first_index  bigint NOT NULL CHECK (first_index >= 0),
    sample_count integer NOT NULL CHECK (sample_count > 0), -- per lead
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL,
    rate_hz      double precision NOT NULL,
    leads        text[] NOT NULL,
    uv_per_lsb   double precision[] NOT NULL,
    codec        smallint NOT NULL, -- storage/waveforms.py says what each number means
    data         bytea NOT NULL,
    PRIMARY KEY (recording_id, first_index, started_at)
);

CREATE INDEX ecg_waveforms_device_id_started_at_idx ON ecg_waveforms (device_id, started_at);

CREATE TABLE ecg_beats (
    recording_id   uuid NOT NULL,
    device_id      uuid NOT NULL,
    r_index        bigint NOT NULL,
    beat_at        timestamptz NOT NULL,
    beat_class     text NOT NULL CHECK (beat_class IN ('N', 'S', 'V', 'F', 'Q')), -- AAMI EC57
    confidence     double precision NOT NULL, -- 0 to 100
    rr_ms          double precision,
    pr_ms          double precision,
    qrs_ms         double precision,
    qt_ms          double precision,
    st_mv          double precision,
    amplitude_mv   double precision,
    p_onset        bigint,
    p_peak         bigint,
    p_offset       bigint,
    qrs_onset      bigint,
    qrs_offset     bigint,
    t_onset        bigint,
    t_peak         bigint,
    t_offset       bigint,
    engine_version text NOT NULL,
    PRIMARY KEY (recording_id, r_index, beat_at)
);

CREATE INDEX ecg_beats_device_id_beat_at_idx ON ecg_beats (device_id, beat_at);

CREATE TABLE ecg_rhythms (
    recording_id   uuid NOT NULL,
    device_id      uuid NOT NULL,
    first_r_index  bigint NOT NULL,
    label          text NOT NULL,
    state          text NOT NULL CHECK (state IN ('opened', 'updated', 'closed')),
    started_at     timestamptz NOT NULL,
    ended_at       timestamptz NOT NULL, -- so far, until the episode is closed
    confidence     double precision NOT NULL, -- 0 to 100
    engine_version text NOT NULL,
    PRIMARY KEY (recording_id, first_r_index, label, started_at),
    CHECK (ended_at >= started_at)
);

CREATE INDEX ecg_rhythms_device_id_started_at_idx ON ecg_rhythms (device_id, started_at);

CREATE TABLE ecg_metrics (
    metric_id             uuid NOT NULL, -- holds its own time: storage/metrics.py
    user_id               uuid,
    device_id             uuid NOT NULL,
    recording_id          uuid NOT NULL,
    heart_rate            integer,
    pr_interval           integer,
    qrs_duration          integer,
    qtc_interval          integer,
    st_segment            varchar(50),
    qrs_axis              varchar(20),
    arrhythmia_type       varchar(100),
    arrhythmia_confidence numeric(5, 2) CHECK (arrhythmia_confidence BETWEEN 0 AND 100),
    raw_data_s3_path      varchar(500),
    recorded_at           timestamptz NOT NULL,
    heart_rate_bpm        double precision, -- the same figures, unrounded
    rr_ms                 double precision,
    pr_ms                 double precision,
    qrs_ms                double precision,
    qt_ms                 double precision,
    qtc_ms                double precision,
    st_mv                 double precision,
    qrs_axis_deg          double precision,
    quality               double precision NOT NULL,
    engine_version        text NOT NULL,
    PRIMARY KEY (device_id, recorded_at)
);

CREATE INDEX ecg_metrics_recorded_at_idx ON ecg_metrics (recorded_at);
CREATE INDEX ecg_metrics_user_id_recorded_at_idx ON ecg_metrics (user_id, recorded_at);
CREATE INDEX ecg_metrics_arrhythmia_type_recorded_at_idx ON ecg_metrics (arrhythmia_type, recorded_at);
