-- Rows of ecg_waveforms without what stands in their recording anyway, and packed so that pages are full; recordings
-- that tell where their samples are, so that a question about one looks at the chunks that hold the answer.

ALTER TABLE recordings
    ADD COLUMN first_index    bigint,                    -- of all samples ever stored; NULL while there are none
    ADD COLUMN end_index      bigint,
    ADD COLUMN first_at       timestamptz,               -- when the earliest stretch began, by its device's clock
    ADD COLUMN end_at         timestamptz,               -- when the latest one ended
    ADD COLUMN longest        integer NOT NULL DEFAULT 0, -- samples per lead of the longest stretch
    ADD COLUMN clock_early_us bigint NOT NULL DEFAULT 0, -- how far stretches began before started_at + index / rate
    ADD COLUMN clock_late_us  bigint NOT NULL DEFAULT 0; -- and how far after

-- The writer moves end_index and end_at with every stretch: room on the page keeps that out of the indexes.
ALTER TABLE recordings SET (fillfactor = 70);

UPDATE recordings AS r
SET
    first_index = w.first_index,
    end_index = w.end_index,
    first_at = w.first_at,
    end_at = w.end_at,
    longest = w.longest,
    clock_early_us = greatest(0, -w.least_stray_us),
    clock_late_us = greatest(0, w.most_stray_us)
FROM (
    SELECT
        s.recording_id,
        min(s.first_index) AS first_index,
        max(s.first_index + s.sample_count) AS end_index,
        min(s.started_at) AS first_at,
        max(s.ended_at) AS end_at,
        max(s.sample_count) AS longest,
        min(s.stray_us) AS least_stray_us,
        max(s.stray_us) AS most_stray_us
    FROM (
        SELECT
            v.recording_id, v.first_index, v.sample_count, v.started_at, v.ended_at,
            round(
                extract(epoch FROM v.started_at - q.started_at) * 1000000
                - (v.first_index * 1000000.0 / q.rate_hz)::numeric
            )::bigint AS stray_us
        FROM ecg_waveforms AS v
        JOIN recordings AS q ON q.recording_id = v.recording_id
    ) AS s
    GROUP BY s.recording_id
) AS w
WHERE w.recording_id = r.recording_id;

-- The columnstore gains nothing on bytes that are coded already, and to read one row of it a thousand are unpacked.
SELECT remove_compression_policy('ecg_waveforms', if_exists => true);
SELECT decompress_chunk(c, if_compressed => true) FROM show_chunks('ecg_waveforms') AS c;
ALTER TABLE ecg_waveforms SET (timescaledb.compress = false);

-- One index for all: which of a device have samples in a period is told by its recordings, and erasure asks by device.
DROP INDEX ecg_waveforms_device_id_started_at_idx;
ALTER TABLE ecg_waveforms DROP CONSTRAINT ecg_waveforms_pkey;
ALTER TABLE ecg_waveforms ADD PRIMARY KEY (device_id, recording_id, first_index, started_at);

ALTER TABLE ecg_waveforms DROP COLUMN ended_at;
ALTER TABLE ecg_waveforms DROP COLUMN rate_hz;
ALTER TABLE ecg_waveforms DROP COLUMN leads;
ALTER TABLE ecg_waveforms DROP COLUMN uv_per_lsb;
ALTER TABLE ecg_waveforms ADD COLUMN envelope bytea; -- lowest and highest of each lead; NULL in older rows
ALTER TABLE ecg_waveforms ADD COLUMN tail bytea;     -- what `data` goes on with; NULL in older rows

-- Coded bytes don't shrink again. Outside the row they lie in pieces of 1996 bytes, four to a page, and what is left
-- over stays in the row: so no page has room that nothing fits (storage/stretches.py cuts them).
ALTER TABLE ecg_waveforms ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE ecg_waveforms ALTER COLUMN tail SET STORAGE EXTERNAL;
