-- More of what is measured each second, and rows that may stand for more than one.
-- The two arrays follow the order of recordings.leads: the names stand once per recording and not in each row, and a
-- row of one lead grows by 54 bytes, where jsonb would take a hundred and repeat the names.

ALTER TABLE ecg_metrics
    ADD COLUMN qtc_bazett_ms     double precision, -- qtc_ms is Fridericia's
    ADD COLUMN qtc_framingham_ms double precision,
    ADD COLUMN qtc_hodges_ms     double precision,
    ADD COLUMN st80_mv           double precision, -- at J+80 ms; st_mv is at J+60
    ADD COLUMN p_axis_deg        double precision,
    ADD COLUMN t_axis_deg        double precision,
    ADD COLUMN main_lead         text, -- intervals and levels were measured on it
    ADD COLUMN lead_quality      real[], -- 0 to 1
    ADD COLUMN lead_flags        smallint[], -- schemas/quality.py says what each bit means
    ADD COLUMN seconds           smallint NOT NULL DEFAULT 1; -- how many this row stands for, beginning with its own

-- The newest second of each device when the table above does not keep every one; updated in place, so half of each
-- page is left free and no index but the key's stands in the way.

CREATE TABLE ecg_metrics_latest (
    LIKE ecg_metrics INCLUDING DEFAULTS,
    PRIMARY KEY (device_id)
) WITH (fillfactor = 50);
