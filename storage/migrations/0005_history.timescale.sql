-- With TimescaleDB: hypertables, the columnstore's layout and continuous aggregates, one built on the other.
-- Chunk lengths and the policies that compress, refresh and expire are settings: storage/policies.py applies them.
-- Sums and counts, never averages: an average of averages is wrong as soon as one part is shorter. A direction has
-- no average either, so the axis keeps its sines and cosines.

SELECT create_hypertable('ecg_waveforms', by_range('started_at'), create_default_indexes => false);
SELECT create_hypertable('ecg_beats', by_range('beat_at'), create_default_indexes => false);
SELECT create_hypertable('ecg_rhythms', by_range('started_at'), create_default_indexes => false);
SELECT create_hypertable('ecg_metrics', by_range('recorded_at'), create_default_indexes => false);

ALTER TABLE ecg_waveforms SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'started_at'
);
ALTER TABLE ecg_beats SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'beat_at'
);
ALTER TABLE ecg_rhythms SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'started_at'
);
ALTER TABLE ecg_metrics SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'recorded_at'
);

CREATE MATERIALIZED VIEW metrics_1min
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 minute', recorded_at) AS bucket,
    device_id,
    user_id,
    arrhythmia_type,
    count(*) AS seconds,
    sum(heart_rate_bpm) AS heart_rate_sum,
    count(heart_rate_bpm) AS heart_rate_count,
    min(heart_rate_bpm) AS heart_rate_min,
    max(heart_rate_bpm) AS heart_rate_max,
    sum(pr_ms) AS pr_sum,
    count(pr_ms) AS pr_count,
    sum(qrs_ms) AS qrs_sum,
    count(qrs_ms) AS qrs_count,
    sum(qt_ms) AS qt_sum,
    count(qt_ms) AS qt_count,
    sum(qtc_ms) AS qtc_sum,
    count(qtc_ms) AS qtc_count,
    sum(st_mv) AS st_sum,
    count(st_mv) AS st_count,
    sum(sind(qrs_axis_deg)) AS axis_sin_sum,
    sum(cosd(qrs_axis_deg)) AS axis_cos_sum,
    count(qrs_axis_deg) AS axis_count,
    sum(quality) AS quality_sum
FROM ecg_metrics
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE MATERIALIZED VIEW metrics_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', bucket) AS bucket,
    device_id,
    user_id,
    arrhythmia_type,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(pr_sum) AS pr_sum,
    sum(pr_count)::bigint AS pr_count,
    sum(qrs_sum) AS qrs_sum,
    sum(qrs_count)::bigint AS qrs_count,
    sum(qt_sum) AS qt_sum,
    sum(qt_count)::bigint AS qt_count,
    sum(qtc_sum) AS qtc_sum,
    sum(qtc_count)::bigint AS qtc_count,
    sum(st_sum) AS st_sum,
    sum(st_count)::bigint AS st_count,
    sum(axis_sin_sum) AS axis_sin_sum,
    sum(axis_cos_sum) AS axis_cos_sum,
    sum(axis_count)::bigint AS axis_count,
    sum(quality_sum) AS quality_sum
FROM metrics_1min
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE MATERIALIZED VIEW metrics_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    device_id,
    user_id,
    arrhythmia_type,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(pr_sum) AS pr_sum,
    sum(pr_count)::bigint AS pr_count,
    sum(qrs_sum) AS qrs_sum,
    sum(qrs_count)::bigint AS qrs_count,
    sum(qt_sum) AS qt_sum,
    sum(qt_count)::bigint AS qt_count,
    sum(qtc_sum) AS qtc_sum,
    sum(qtc_count)::bigint AS qtc_count,
    sum(st_sum) AS st_sum,
    sum(st_count)::bigint AS st_count,
    sum(axis_sin_sum) AS axis_sin_sum,
    sum(axis_cos_sum) AS axis_cos_sum,
    sum(axis_count)::bigint AS axis_count,
    sum(quality_sum) AS quality_sum
FROM metrics_1h
GROUP BY 1, 2, 3, 4
WITH NO DATA;
