-- With TimescaleDB: percentiles need how often each figure was met, so hours and days of it in bins of 1/min (heart
-- rate) and 5 ms (QTc), and days of beats, as continuous aggregates, one built on the other. Aggregates that are there
-- stay as they are. All of them may go into the columnstore; storage/policies.py says when, and fills the new ones.

CREATE MATERIALIZED VIEW heart_rate_bins_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', recorded_at) AS bucket,
    device_id,
    user_id,
    least(greatest(floor(heart_rate_bpm), 0), 1000)::integer AS bin,
    sum(seconds) AS seconds
FROM ecg_metrics
WHERE heart_rate_bpm IS NOT NULL
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE MATERIALIZED VIEW heart_rate_bins_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    device_id,
    user_id,
    bin,
    sum(seconds)::bigint AS seconds
FROM heart_rate_bins_1h
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE MATERIALIZED VIEW qtc_bins_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 hour', recorded_at) AS bucket,
    device_id,
    user_id,
    least(greatest(floor(qtc_ms / 5), 0), 1000)::integer AS bin,
    sum(seconds) AS seconds
FROM ecg_metrics
WHERE qtc_ms IS NOT NULL
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE MATERIALIZED VIEW qtc_bins_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    device_id,
    user_id,
    bin,
    sum(seconds)::bigint AS seconds
FROM qtc_bins_1h
GROUP BY 1, 2, 3, 4
WITH NO DATA;

CREATE MATERIALIZED VIEW beats_1day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket('1 day', bucket) AS bucket,
    device_id,
    recording_id,
    sum(beats)::bigint AS beats,
    sum(supraventricular)::bigint AS supraventricular,
    sum(ventricular)::bigint AS ventricular,
    sum(fusion)::bigint AS fusion,
    sum(unknown)::bigint AS unknown
FROM beats_1h
GROUP BY 1, 2, 3
WITH NO DATA;

ALTER MATERIALIZED VIEW metrics_1min SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW metrics_1h SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW metrics_1day SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW beats_1h SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW beats_1day SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW heart_rate_bins_1h SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW heart_rate_bins_1day SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW qtc_bins_1h SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
ALTER MATERIALIZED VIEW qtc_bins_1day SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'bucket'
);
