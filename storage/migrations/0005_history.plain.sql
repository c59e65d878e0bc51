-- Without TimescaleDB: views with the names, columns and answers of its continuous aggregates.
-- Sums and counts, never averages: an average of averages is wrong as soon as one part is shorter. A direction has
-- no average either, so the axis keeps its sines and cosines.

CREATE VIEW metrics_1min AS
SELECT
    date_bin('1 minute', recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
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
GROUP BY 1, 2, 3, 4;

CREATE VIEW metrics_1h AS
SELECT
    date_bin('1 hour', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
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
GROUP BY 1, 2, 3, 4;

CREATE VIEW metrics_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
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
GROUP BY 1, 2, 3, 4;
