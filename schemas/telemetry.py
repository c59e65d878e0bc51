"""Every figure Prometheus scrapes, in one list; latency is from the sample's own time to stored."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60)

BLOCKS_ACCEPTED = Counter("leadwire_blocks_accepted_total", "Blocks the gateway has put into Kafka")
BLOCKS_REFUSED = Counter("leadwire_blocks_refused_total", "Blocks the gateway has refused", ["reason"])
SAMPLES_ACCEPTED = Counter("leadwire_samples_accepted_total", "Samples (all leads) the gateway has put into Kafka")

SAMPLES_PROCESSED = Counter("leadwire_samples_processed_total", "Samples (all leads) the engine has taken in")
BLOCKS_REPEATED = Counter("leadwire_blocks_repeated_total", "Blocks dropped because every sample was there already")
SAMPLES_MISSED = Counter("leadwire_samples_missed_total", "Samples per lead that never came (gaps)")
REJECTS = Counter("leadwire_rejects_total", "Records or blocks sent to ecg.rejects", ["reason"])
BEATS = Counter("leadwire_beats_total", "Beats stored", ["beat_class"])
STEP_SECONDS = Histogram("leadwire_step_seconds", "Time of one engine step", buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2))
STORED_SECONDS = Histogram(
    "leadwire_sample_to_stored_seconds",
    "From a block's last sample to its results stored",
    buckets=_LATENCY_BUCKETS,
)
CHECKPOINT_SECONDS = Histogram("leadwire_checkpoint_seconds", "Time of one checkpoint of all dirty partitions")
PARTITIONS = Gauge("leadwire_partitions_assigned", "Partitions this worker holds")
PARTITIONS_STOPPED = Gauge("leadwire_partitions_stopped", "Partitions stopped after too many rejects in a row")
DEVICES_LIVE = Gauge("leadwire_devices_live", "Devices with engine state in this worker")
LAG_RECORDS = Gauge(
    "leadwire_lag_records", "Records between the group's committed offset and the end of a partition", ["partition"]
)
STALLED_SECONDS = Gauge(
    "leadwire_stalled_seconds", "For how long records of a partition wait without its offset moving", ["partition"]
)

HRV_STRETCHES = Counter("leadwire_hrv_stretches_total", "Stretches of HRV done, or why without figures", ["outcome"])
HRV_SECONDS = Histogram(
    "leadwire_hrv_stretch_seconds", "Time of one stretch's figures", buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2)
)
HRV_OLDEST_S = Gauge("leadwire_hrv_oldest_due_seconds", "For how long the oldest stretch that was found has been due")
ALARMS_RAISED = Counter("leadwire_alarms_raised_total", "Alarms raised", ["kind", "priority"])
ALARMS_ACTIVE = Gauge(
    "leadwire_alarms_active", "Alarms whose condition lasts, of the devices of this worker", ["priority"]
)
WEBHOOK_DELIVERIES = Counter(
    "leadwire_alarm_webhook_deliveries_total", "Alarm events for the webhook: delivered, failed or refused", ["outcome"]
)

ARCHIVE_HOURS = Counter("leadwire_archive_hours_total", "Hours of recordings archived and verified")
ARCHIVE_SAMPLES = Counter("leadwire_archive_samples_total", "Samples (all leads) archived and verified")
ARCHIVE_BYTES = Counter("leadwire_archive_bytes_total", "Bytes of the archive's files written and read back")
ARCHIVE_SECONDS = Histogram(
    "leadwire_archive_hour_seconds",
    "Time of one device's hour: read, code, put, read back, compare",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15),
)
ARCHIVE_OLDEST_S = Gauge(
    "leadwire_archive_oldest_due_seconds", "For how long the oldest hour that waits has been closed"
)
ARCHIVE_HELD = Counter("leadwire_archive_held_total", "Times a device was held because its rows can't be read")
ARCHIVE_EXPIRED_ROWS = Counter(
    "leadwire_archive_expired_rows_total", "Rows of samples that left the database, archived"
)
ARCHIVE_READS = Counter(
    "leadwire_archive_reads_total", "Archived records read for an answer, and from where", ["source"]
)

UPLOADS = Counter("leadwire_uploads_total", "Files that came in, by what became of them", ["kind", "outcome"])
REMOVALS_FAILED = Counter("leadwire_object_removals_failed_total", "Objects the store did not remove when asked")
REPORTS_WRITTEN = Counter("leadwire_reports_written_total", "PDF reports written", ["outcome"])
READS_NOTED = Counter("leadwire_reads_noted_total", "Audit lines about reads: written, or lost", ["outcome"])
READS_WAITING = Gauge("leadwire_reads_waiting", "Audit lines about reads that wait for the database")
REQUESTS_LIMITED = Counter("leadwire_requests_limited_total", "Requests refused because of a rate limit", ["limit"])
LIVE_SUBSCRIBERS = Gauge("leadwire_live_subscribers", "Open live WebSockets")
HTTP_SECONDS = Histogram(
    "leadwire_http_request_seconds", "Time of an HTTP request", ["application", "method", "route", "status"]
)

CACHE_LOOKUPS = Counter(
    "leadwire_cache_lookups_total", "Answers looked for in the cache: hit, miss, or off for what may not be kept",
    ["what", "outcome"],
)  # fmt: skip
GENERATIONS_ASKED = Counter(
    "leadwire_cache_generations_total", "Requests whose caller's generation the database was asked for"
)
GENERATION_QUERIES = Counter("leadwire_cache_generation_queries_total", "Queries that asked for generations")
