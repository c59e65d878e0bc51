-- Heart rate variability of each five minutes of a device, and each hour's beats by class.
-- Without TimescaleDB the hours are a view with the name, columns and answers of its continuous aggregate.

CREATE TABLE ecg_hrv (
    device_id      uuid NOT NULL,
    stretch_start  timestamptz NOT NULL, -- five minutes of UTC from here on
    user_id        uuid, -- whose device it was
    beats          integer NOT NULL,
    nn_count       integer NOT NULL, -- intervals between normal beats that follow each other
    nn_share       double precision NOT NULL, -- of the five minutes, 0 to 1
    af_share       double precision, -- of the labelled seconds, 0 to 1
    reason         text CHECK (reason IN ('little_nn', 'atrial_fibrillation', 'not_computable')), -- why no figures
    mean_nn_ms     double precision,
    sdnn_ms        double precision,
    rmssd_ms       double precision,
    sdsd_ms        double precision,
    pnn50          double precision, -- per cent
    pnn20          double precision, -- per cent
    vlf_ms2        double precision,
    lf_ms2         double precision,
    hf_ms2         double precision,
    total_ms2      double precision,
    lf_hf          double precision,
    lf_nu          double precision,
    hf_nu          double precision,
    sd1_ms         double precision,
    sd2_ms         double precision,
    sd1_sd2        double precision,
    sample_entropy double precision,
    dfa_alpha1     double precision,
    engine_version text NOT NULL, -- that found the beats
    hrv_version    text NOT NULL, -- that made these figures
    last_beat_at   timestamptz NOT NULL, -- a beat stored after this one is a reason to do it again
    computed_at    timestamptz NOT NULL,
    PRIMARY KEY (device_id, stretch_start)
);

CREATE VIEW beats_1h AS
SELECT
    date_bin('1 hour', beat_at, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    recording_id,
    count(*) AS beats,
    count(*) FILTER (WHERE beat_class = 'S') AS supraventricular,
    count(*) FILTER (WHERE beat_class = 'V') AS ventricular,
    count(*) FILTER (WHERE beat_class = 'F') AS fusion,
    count(*) FILTER (WHERE beat_class = 'Q') AS unknown
FROM ecg_beats
GROUP BY 1, 2, 3;

-- Runs are counted from ectopic beats alone, which are few: all others stay unread.
CREATE INDEX ecg_beats_ectopic_idx ON ecg_beats (device_id, beat_at) WHERE beat_class IN ('S', 'V');
