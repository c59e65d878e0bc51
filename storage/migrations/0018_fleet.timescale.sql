-- With TimescaleDB: what a device recorded for a user in an hour and a day, and what all of them did, with neither: how many
-- there were, each label's time, the time of each mean heart rate, and beats. Which of sixty hours or days a device was
-- used in stands in one number, a bit for each: whoever was there at all is counted by a row or two of each. Statistics of all devices read a handful of rows
-- per day of these instead of thousands. The hours are made of minutes, which are never long behind, so that an hour
-- that isn't over can be taken up too: storage/policies.py does that every five minutes.

CREATE MATERIALIZED VIEW devices_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', bucket) AS bucket,
    device_id,
    user_id,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM metrics_1min
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW devices_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    device_id,
    user_id,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM devices_1h
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', bucket) AS bucket,
    count(DISTINCT user_id) AS users,
    count(DISTINCT device_id) AS devices,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM devices_1h
GROUP BY 1
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    count(DISTINCT user_id) AS users,
    count(DISTINCT device_id) AS devices,
    sum(seconds)::bigint AS seconds,
    sum(heart_rate_sum) AS heart_rate_sum,
    sum(heart_rate_count)::bigint AS heart_rate_count,
    min(heart_rate_min) AS heart_rate_min,
    max(heart_rate_max) AS heart_rate_max,
    sum(quality_sum) AS quality_sum
FROM devices_1day
GROUP BY 1
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_labels_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', bucket) AS bucket,
    arrhythmia_type,
    sum(seconds)::bigint AS seconds
FROM metrics_1min
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_labels_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    arrhythmia_type,
    sum(seconds)::bigint AS seconds
FROM fleet_labels_1h
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_rates_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', bucket) AS bucket,
    least(greatest(floor(heart_rate_sum / heart_rate_count), 0), 1000)::integer AS bin,
    sum(heart_rate_count)::bigint AS seconds
FROM devices_1h
WHERE heart_rate_count > 0
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_rates_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    least(greatest(floor(heart_rate_sum / heart_rate_count), 0), 1000)::integer AS bin,
    sum(heart_rate_count)::bigint AS seconds
FROM devices_1day
WHERE heart_rate_count > 0
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_beats_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', bucket) AS bucket,
    sum(beats)::bigint AS beats,
    sum(supraventricular)::bigint AS supraventricular,
    sum(ventricular)::bigint AS ventricular,
    sum(fusion)::bigint AS fusion,
    sum(unknown)::bigint AS unknown
FROM beats_1h
GROUP BY 1
WITH NO DATA;

CREATE MATERIALIZED VIEW fleet_beats_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    sum(beats)::bigint AS beats,
    sum(supraventricular)::bigint AS supraventricular,
    sum(ventricular)::bigint AS ventricular,
    sum(fusion)::bigint AS fusion,
    sum(unknown)::bigint AS unknown
FROM fleet_beats_1h
GROUP BY 1
WITH NO DATA;

CREATE MATERIALIZED VIEW presence_60h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('60 hours', bucket) AS bucket,
    device_id,
    user_id,
    bit_or(
        1::bigint << (((extract(epoch FROM bucket - timestamptz '2000-01-03 00:00Z') / 3600)::integer % 60 + 60) % 60)
    ) AS used
FROM devices_1h
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW presence_60days
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('60 days', bucket) AS bucket,
    device_id,
    user_id,
    bit_or(
        1::bigint << (((extract(epoch FROM bucket - timestamptz '2000-01-03 00:00Z') / 86400)::integer % 60 + 60) % 60)
    ) AS used
FROM devices_1day
GROUP BY 1, 2, 3
WITH NO DATA;

ALTER MATERIALIZED VIEW devices_1h SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);

ALTER MATERIALIZED VIEW devices_1day SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);

ALTER MATERIALIZED VIEW fleet_1h SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_1day SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_labels_1h SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_labels_1day SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_rates_1h SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_rates_1day SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_beats_1h SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW fleet_beats_1day SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket');

ALTER MATERIALIZED VIEW presence_60h SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);

ALTER MATERIALIZED VIEW presence_60days SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);

-- Reports are counted by an index that holds all that is asked of them.

CREATE INDEX ecg_reports_counted_idx ON ecg_reports (created_at) INCLUDE (upload_status, cloud_service, file_size)
WHERE deleted_at IS NULL;
