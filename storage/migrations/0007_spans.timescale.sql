-- Minutes count the seconds that rows stand for, and no longer the rows. A continuous aggregate can't be altered, so all
-- three are made anew, empty; storage/policies.py then fills them from the rows, as far back as retention has kept those.

DROP MATERIALIZED VIEW metrics_1day;
DROP MATERIALIZED VIEW metrics_1h;
DROP MATERIALIZED VIEW metrics_1min;

CREATE MATERIALIZED VIEW metrics_1min
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 minute', recorded_at) AS bucket,
    device_id,
    user_id,
    arrhythmia_type,
    sum(seconds) AS seconds,
    sum(heart_rate_bpm * seconds) AS heart_rate_sum,
    coalesce(sum(seconds) FILTER (WHERE heart_rate_bpm IS NOT NULL), 0) AS heart_rate_count,
    min(heart_rate_bpm) AS heart_rate_min,
    max(heart_rate_bpm) AS heart_rate_max,
    sum(pr_ms * seconds) AS pr_sum,
    coalesce(sum(seconds) FILTER (WHERE pr_ms IS NOT NULL), 0) AS pr_count,
    sum(qrs_ms * seconds) AS qrs_sum,
    coalesce(sum(seconds) FILTER (WHERE qrs_ms IS NOT NULL), 0) AS qrs_count,
    sum(qt_ms * seconds) AS qt_sum,
    coalesce(sum(seconds) FILTER (WHERE qt_ms IS NOT NULL), 0) AS qt_count,
    sum(qtc_ms * seconds) AS qtc_sum,
    coalesce(sum(seconds) FILTER (WHERE qtc_ms IS NOT NULL), 0) AS qtc_count,
    sum(st_mv * seconds) AS st_sum,
    coalesce(sum(seconds) FILTER (WHERE st_mv IS NOT NULL), 0) AS st_count,
    sum(sind(qrs_axis_deg) * seconds) AS axis_sin_sum,
    sum(cosd(qrs_axis_deg) * seconds) AS axis_cos_sum,
    coalesce(sum(seconds) FILTER (WHERE qrs_axis_deg IS NOT NULL), 0) AS axis_count,
    sum(quality * seconds) AS quality_sum
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
