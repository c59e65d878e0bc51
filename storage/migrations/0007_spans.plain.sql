-- Minutes count the seconds that rows stand for, and no longer the rows; hours and days are built on them.

CREATE OR REPLACE VIEW metrics_1min AS
SELECT
    date_bin('1 minute', recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
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
GROUP BY 1, 2, 3, 4;
