-- Without TimescaleDB: percentiles need how often each figure was met, so hours and days of it in bins of 1/min (heart
-- rate) and 5 ms (QTc); days of beats; and, because a view of buckets can't use the index of the rows' own time, for
-- each view a function that makes only the buckets which begin in a period. storage/dialects.py chooses.

CREATE VIEW heart_rate_bins_1h AS
SELECT
    date_bin('1 hour', recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    least(greatest(floor(heart_rate_bpm), 0), 1000)::integer AS bin,
    sum(seconds) AS seconds
FROM ecg_metrics
WHERE heart_rate_bpm IS NOT NULL
GROUP BY 1, 2, 3, 4;

CREATE VIEW heart_rate_bins_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    bin,
    sum(seconds)::bigint AS seconds
FROM heart_rate_bins_1h
GROUP BY 1, 2, 3, 4;

CREATE VIEW qtc_bins_1h AS
SELECT
    date_bin('1 hour', recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    least(greatest(floor(qtc_ms / 5), 0), 1000)::integer AS bin,
    sum(seconds) AS seconds
FROM ecg_metrics
WHERE qtc_ms IS NOT NULL
GROUP BY 1, 2, 3, 4;

CREATE VIEW qtc_bins_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    bin,
    sum(seconds)::bigint AS seconds
FROM qtc_bins_1h
GROUP BY 1, 2, 3, 4;

CREATE VIEW beats_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    recording_id,
    sum(beats)::bigint AS beats,
    sum(supraventricular)::bigint AS supraventricular,
    sum(ventricular)::bigint AS ventricular,
    sum(fusion)::bigint AS fusion,
    sum(unknown)::bigint AS unknown
FROM beats_1h
GROUP BY 1, 2, 3;

-- Each is one SELECT, so that the planner puts it into the query and uses what that asks for.

CREATE FUNCTION metrics_binned(length interval, first timestamptz, until timestamptz)
RETURNS SETOF metrics_1min LANGUAGE sql STABLE AS $$
    SELECT *
    FROM (
        SELECT
            date_bin(length, recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
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
        WHERE recorded_at >= first AND recorded_at < until + length
        GROUP BY 1, 2, 3, 4
    ) AS made
    WHERE bucket >= first AND bucket < until
$$;

CREATE FUNCTION metrics_1min_between(first timestamptz, until timestamptz)
RETURNS SETOF metrics_1min LANGUAGE sql STABLE AS $$
    SELECT * FROM metrics_binned('1 minute', first, until)
$$;

CREATE FUNCTION metrics_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF metrics_1h LANGUAGE sql STABLE AS $$
    SELECT * FROM metrics_binned('1 hour', first, until)
$$;

CREATE FUNCTION metrics_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF metrics_1day LANGUAGE sql STABLE AS $$
    SELECT * FROM metrics_binned('1 day', first, until)
$$;

CREATE FUNCTION heart_rate_binned(length interval, first timestamptz, until timestamptz)
RETURNS SETOF heart_rate_bins_1h LANGUAGE sql STABLE AS $$
    SELECT *
    FROM (
        SELECT
            date_bin(length, recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
            device_id,
            user_id,
            least(greatest(floor(heart_rate_bpm), 0), 1000)::integer AS bin,
            sum(seconds) AS seconds
        FROM ecg_metrics
        WHERE heart_rate_bpm IS NOT NULL AND recorded_at >= first AND recorded_at < until + length
        GROUP BY 1, 2, 3, 4
    ) AS made
    WHERE bucket >= first AND bucket < until
$$;

CREATE FUNCTION heart_rate_bins_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF heart_rate_bins_1h LANGUAGE sql STABLE AS $$
    SELECT * FROM heart_rate_binned('1 hour', first, until)
$$;

CREATE FUNCTION heart_rate_bins_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF heart_rate_bins_1day LANGUAGE sql STABLE AS $$
    SELECT * FROM heart_rate_binned('1 day', first, until)
$$;

CREATE FUNCTION qtc_binned(length interval, first timestamptz, until timestamptz)
RETURNS SETOF qtc_bins_1h LANGUAGE sql STABLE AS $$
    SELECT *
    FROM (
        SELECT
            date_bin(length, recorded_at, timestamptz '2000-01-03 00:00Z') AS bucket,
            device_id,
            user_id,
            least(greatest(floor(qtc_ms / 5), 0), 1000)::integer AS bin,
            sum(seconds) AS seconds
        FROM ecg_metrics
        WHERE qtc_ms IS NOT NULL AND recorded_at >= first AND recorded_at < until + length
        GROUP BY 1, 2, 3, 4
    ) AS made
    WHERE bucket >= first AND bucket < until
$$;

CREATE FUNCTION qtc_bins_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF qtc_bins_1h LANGUAGE sql STABLE AS $$
    SELECT * FROM qtc_binned('1 hour', first, until)
$$;

CREATE FUNCTION qtc_bins_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF qtc_bins_1day LANGUAGE sql STABLE AS $$
    SELECT * FROM qtc_binned('1 day', first, until)
$$;

CREATE FUNCTION beats_binned(length interval, first timestamptz, until timestamptz)
RETURNS SETOF beats_1h LANGUAGE sql STABLE AS $$
    SELECT *
    FROM (
        SELECT
            date_bin(length, beat_at, timestamptz '2000-01-03 00:00Z') AS bucket,
            device_id,
            recording_id,
            count(*) AS beats,
            count(*) FILTER (WHERE beat_class = 'S') AS supraventricular,
            count(*) FILTER (WHERE beat_class = 'V') AS ventricular,
            count(*) FILTER (WHERE beat_class = 'F') AS fusion,
            count(*) FILTER (WHERE beat_class = 'Q') AS unknown
        FROM ecg_beats
        WHERE beat_at >= first AND beat_at < until + length
        GROUP BY 1, 2, 3
    ) AS made
    WHERE bucket >= first AND bucket < until
$$;

CREATE FUNCTION beats_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF beats_1h LANGUAGE sql STABLE AS $$
    SELECT * FROM beats_binned('1 hour', first, until)
$$;

CREATE FUNCTION beats_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF beats_1day LANGUAGE sql STABLE AS $$
    SELECT * FROM beats_binned('1 day', first, until)
$$;

-- They act with the rights of who calls them, and nobody else than the api's role needs to.

REVOKE EXECUTE ON FUNCTION
    metrics_binned(interval, timestamptz, timestamptz),
    metrics_1min_between(timestamptz, timestamptz),
    metrics_1h_between(timestamptz, timestamptz),
    metrics_1day_between(timestamptz, timestamptz),
    heart_rate_binned(interval, timestamptz, timestamptz),
    heart_rate_bins_1h_between(timestamptz, timestamptz),
    heart_rate_bins_1day_between(timestamptz, timestamptz),
    qtc_binned(interval, timestamptz, timestamptz),
    qtc_bins_1h_between(timestamptz, timestamptz),
    qtc_bins_1day_between(timestamptz, timestamptz),
    beats_binned(interval, timestamptz, timestamptz),
    beats_1h_between(timestamptz, timestamptz),
    beats_1day_between(timestamptz, timestamptz)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    metrics_binned(interval, timestamptz, timestamptz),
    metrics_1min_between(timestamptz, timestamptz),
    metrics_1h_between(timestamptz, timestamptz),
    metrics_1day_between(timestamptz, timestamptz),
    heart_rate_binned(interval, timestamptz, timestamptz),
    heart_rate_bins_1h_between(timestamptz, timestamptz),
    heart_rate_bins_1day_between(timestamptz, timestamptz),
    qtc_binned(interval, timestamptz, timestamptz),
    qtc_bins_1h_between(timestamptz, timestamptz),
    qtc_bins_1day_between(timestamptz, timestamptz),
    beats_binned(interval, timestamptz, timestamptz),
    beats_1h_between(timestamptz, timestamptz),
    beats_1day_between(timestamptz, timestamptz)
TO leadwire_reader;

-- What retention deletes is found by its time alone; rows come in that order, so a summary of each few pages will do.

CREATE INDEX ecg_waveforms_started_at_idx ON ecg_waveforms USING brin (started_at) WITH (autosummarize = on);
CREATE INDEX ecg_beats_beat_at_idx ON ecg_beats USING brin (beat_at) WITH (autosummarize = on);
CREATE INDEX ecg_rhythms_started_at_idx ON ecg_rhythms USING brin (started_at) WITH (autosummarize = on);
CREATE INDEX ecg_hrv_stretch_start_idx ON ecg_hrv USING brin (stretch_start) WITH (autosummarize = on);
