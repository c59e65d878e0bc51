-- Without TimescaleDB: what a device recorded for a user in an hour and a day, and what all of them did, with neither: how many
-- there were, each label's time, the time of each mean heart rate, and beats. Which of sixty hours or days a device was
-- used in stands in one number, a bit for each: whoever was there at all is counted by a row or two of each. Statistics of all devices read a handful of rows
-- per day of these instead of thousands. Here they are views, and functions that begin with a period's rows, as in 0015; those of
-- presence are made of the period's own hours or days, and of no others of their sixty.

CREATE VIEW devices_1h AS
SELECT
    date_bin('1 hour', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM metrics_1min
GROUP BY 1, 2, 3;

CREATE VIEW devices_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM devices_1h
GROUP BY 1, 2, 3;

CREATE VIEW fleet_1h AS
SELECT
    date_bin('1 hour', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    count(DISTINCT user_id) AS users,
    count(DISTINCT device_id) AS devices,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM devices_1h
GROUP BY 1;

CREATE VIEW fleet_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    count(DISTINCT user_id) AS users,
    count(DISTINCT device_id) AS devices,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM devices_1day
GROUP BY 1;

CREATE VIEW fleet_labels_1h AS
SELECT
    date_bin('1 hour', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    arrhythmia_type,
    sum(seconds)::bigint AS seconds
FROM metrics_1min
GROUP BY 1, 2;

CREATE VIEW fleet_labels_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    arrhythmia_type,
    sum(seconds)::bigint AS seconds
FROM fleet_labels_1h
GROUP BY 1, 2;

CREATE VIEW fleet_rates_1h AS
SELECT
    date_bin('1 hour', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    least(greatest(floor(heart_rate_sum / heart_rate_count), 0), 1000)::integer AS bin,
    sum(heart_rate_count)::bigint AS seconds
FROM devices_1h
WHERE heart_rate_count > 0
GROUP BY 1, 2;

CREATE VIEW fleet_rates_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    least(greatest(floor(heart_rate_sum / heart_rate_count), 0), 1000)::integer AS bin,
    sum(heart_rate_count)::bigint AS seconds
FROM devices_1day
WHERE heart_rate_count > 0
GROUP BY 1, 2;

CREATE VIEW fleet_beats_1h AS
SELECT
    date_bin('1 hour', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    sum(beats)::bigint AS beats,
    sum(supraventricular)::bigint AS supraventricular,
    sum(ventricular)::bigint AS ventricular,
    sum(fusion)::bigint AS fusion,
    sum(unknown)::bigint AS unknown
FROM beats_1h
GROUP BY 1;

CREATE VIEW fleet_beats_1day AS
SELECT
    date_bin('1 day', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    sum(beats)::bigint AS beats,
    sum(supraventricular)::bigint AS supraventricular,
    sum(ventricular)::bigint AS ventricular,
    sum(fusion)::bigint AS fusion,
    sum(unknown)::bigint AS unknown
FROM fleet_beats_1h
GROUP BY 1;

CREATE VIEW presence_60h AS
SELECT
    date_bin('60 hours', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    bit_or(
        1::bigint << (((extract(epoch FROM bucket - timestamptz '2000-01-03 00:00Z') / 3600)::integer % 60 + 60) % 60)
    ) AS used
FROM devices_1h
GROUP BY 1, 2, 3;

CREATE VIEW presence_60days AS
SELECT
    date_bin('60 days', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
    device_id,
    user_id,
    bit_or(
        1::bigint << (((extract(epoch FROM bucket - timestamptz '2000-01-03 00:00Z') / 86400)::integer % 60 + 60) % 60)
    ) AS used
FROM devices_1day
GROUP BY 1, 2, 3;

CREATE FUNCTION devices_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF devices_1h LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        device_id,
        user_id,
        sum(seconds)::bigint AS seconds,
        sum(heart_rate_sum) AS heart_rate_sum,
        sum(heart_rate_count)::bigint AS heart_rate_count,
        min(heart_rate_min) AS heart_rate_min,
        max(heart_rate_max) AS heart_rate_max,
        sum(quality_sum) AS quality_sum
    FROM metrics_1h_between(first, until)
    GROUP BY 1, 2, 3
$$;

CREATE FUNCTION fleet_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_1h LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        count(DISTINCT user_id) AS users,
        count(DISTINCT device_id) AS devices,
        sum(seconds)::bigint AS seconds,
        sum(heart_rate_sum) AS heart_rate_sum,
        sum(heart_rate_count)::bigint AS heart_rate_count,
        min(heart_rate_min) AS heart_rate_min,
        max(heart_rate_max) AS heart_rate_max,
        sum(quality_sum) AS quality_sum
    FROM metrics_1h_between(first, until)
    GROUP BY 1
$$;

CREATE FUNCTION fleet_labels_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_labels_1h LANGUAGE sql STABLE AS $$
    SELECT bucket, arrhythmia_type, sum(seconds)::bigint AS seconds
    FROM metrics_1h_between(first, until)
    GROUP BY 1, 2
$$;

CREATE FUNCTION fleet_rates_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_rates_1h LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        least(greatest(floor(heart_rate_sum / heart_rate_count), 0), 1000)::integer AS bin,
        sum(heart_rate_count)::bigint AS seconds
    FROM devices_1h_between(first, until)
    WHERE heart_rate_count > 0
    GROUP BY 1, 2
$$;

CREATE FUNCTION devices_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF devices_1day LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        device_id,
        user_id,
        sum(seconds)::bigint AS seconds,
        sum(heart_rate_sum) AS heart_rate_sum,
        sum(heart_rate_count)::bigint AS heart_rate_count,
        min(heart_rate_min) AS heart_rate_min,
        max(heart_rate_max) AS heart_rate_max,
        sum(quality_sum) AS quality_sum
    FROM metrics_1day_between(first, until)
    GROUP BY 1, 2, 3
$$;

CREATE FUNCTION fleet_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_1day LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        count(DISTINCT user_id) AS users,
        count(DISTINCT device_id) AS devices,
        sum(seconds)::bigint AS seconds,
        sum(heart_rate_sum) AS heart_rate_sum,
        sum(heart_rate_count)::bigint AS heart_rate_count,
        min(heart_rate_min) AS heart_rate_min,
        max(heart_rate_max) AS heart_rate_max,
        sum(quality_sum) AS quality_sum
    FROM metrics_1day_between(first, until)
    GROUP BY 1
$$;

CREATE FUNCTION fleet_labels_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_labels_1day LANGUAGE sql STABLE AS $$
    SELECT bucket, arrhythmia_type, sum(seconds)::bigint AS seconds
    FROM metrics_1day_between(first, until)
    GROUP BY 1, 2
$$;

CREATE FUNCTION fleet_rates_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_rates_1day LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        least(greatest(floor(heart_rate_sum / heart_rate_count), 0), 1000)::integer AS bin,
        sum(heart_rate_count)::bigint AS seconds
    FROM devices_1day_between(first, until)
    WHERE heart_rate_count > 0
    GROUP BY 1, 2
$$;

CREATE FUNCTION fleet_beats_1h_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_beats_1h LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        sum(beats)::bigint AS beats,
        sum(supraventricular)::bigint AS supraventricular,
        sum(ventricular)::bigint AS ventricular,
        sum(fusion)::bigint AS fusion,
        sum(unknown)::bigint AS unknown
    FROM beats_1h_between(first, until)
    GROUP BY 1
$$;

CREATE FUNCTION fleet_beats_1day_between(first timestamptz, until timestamptz)
RETURNS SETOF fleet_beats_1day LANGUAGE sql STABLE AS $$
    SELECT
        bucket,
        sum(beats)::bigint AS beats,
        sum(supraventricular)::bigint AS supraventricular,
        sum(ventricular)::bigint AS ventricular,
        sum(fusion)::bigint AS fusion,
        sum(unknown)::bigint AS unknown
    FROM beats_1day_between(first, until)
    GROUP BY 1
$$;

CREATE FUNCTION presence_60h_between(first timestamptz, until timestamptz)
RETURNS SETOF presence_60h LANGUAGE sql STABLE AS $$
    SELECT
        date_bin('60 hours', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
        device_id,
        user_id,
        bit_or(
            1::bigint << (((extract(epoch FROM bucket - timestamptz '2000-01-03 00:00Z') / 3600)::integer % 60 + 60) % 60)
        ) AS used
    FROM devices_1h_between(first, until)
    GROUP BY 1, 2, 3
$$;

CREATE FUNCTION presence_60days_between(first timestamptz, until timestamptz)
RETURNS SETOF presence_60days LANGUAGE sql STABLE AS $$
    SELECT
        date_bin('60 days', bucket, timestamptz '2000-01-03 00:00Z') AS bucket,
        device_id,
        user_id,
        bit_or(
            1::bigint << (((extract(epoch FROM bucket - timestamptz '2000-01-03 00:00Z') / 86400)::integer % 60 + 60) % 60)
        ) AS used
    FROM devices_1day_between(first, until)
    GROUP BY 1, 2, 3
$$;

REVOKE EXECUTE ON FUNCTION
    devices_1h_between(timestamptz, timestamptz),
    fleet_1h_between(timestamptz, timestamptz),
    fleet_labels_1h_between(timestamptz, timestamptz),
    fleet_rates_1h_between(timestamptz, timestamptz),
    devices_1day_between(timestamptz, timestamptz),
    fleet_1day_between(timestamptz, timestamptz),
    fleet_labels_1day_between(timestamptz, timestamptz),
    fleet_rates_1day_between(timestamptz, timestamptz),
    fleet_beats_1h_between(timestamptz, timestamptz),
    fleet_beats_1day_between(timestamptz, timestamptz),
    presence_60h_between(timestamptz, timestamptz),
    presence_60days_between(timestamptz, timestamptz)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    devices_1h_between(timestamptz, timestamptz),
    fleet_1h_between(timestamptz, timestamptz),
    fleet_labels_1h_between(timestamptz, timestamptz),
    fleet_rates_1h_between(timestamptz, timestamptz),
    devices_1day_between(timestamptz, timestamptz),
    fleet_1day_between(timestamptz, timestamptz),
    fleet_labels_1day_between(timestamptz, timestamptz),
    fleet_rates_1day_between(timestamptz, timestamptz),
    fleet_beats_1h_between(timestamptz, timestamptz),
    fleet_beats_1day_between(timestamptz, timestamptz),
    presence_60h_between(timestamptz, timestamptz),
    presence_60days_between(timestamptz, timestamptz)
TO leadwire_reader;

-- Reports are counted by an index that holds all that is asked of them.

CREATE INDEX ecg_reports_counted_idx ON ecg_reports (created_at) INCLUDE (upload_status, cloud_service, file_size)
WHERE deleted_at IS NULL;
