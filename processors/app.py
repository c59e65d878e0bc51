"""The Faust app, nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import faust
from faust.types.auth import CredentialsT

from processors.transport import use_transport
from schemas.kafka import tls_context
from schemas.settings import KafkaSettings, WorkerSettings

COMMIT_INTERVAL_S = 1.0


def create_app(kafka: KafkaSettings, worker: WorkerSettings) -> faust.App:
    """An app without tables, without a web server and without topic declarations; it connects when it starts.

    Acknowledged events only are committed, and the pipeline acknowledges only what a checkpoint covers.
    """
    app = faust.App(
        worker.group,
        broker=f"aiokafka://{kafka.bootstrap}",
        broker_credentials=_credentials(kafka),
        value_serializer="raw",
        key_serializer="raw",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_session_timeout=10,
        broker_rebalance_timeout=12,
        broker_heartbeat_interval=2,
        broker_max_poll_interval=600,
        stream_buffer_maxsize=worker.batch_max * 2,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=Path(tempfile.gettempdir()) / f"leadwire-{worker.group}",
        worker_redirect_stdouts=False,
        logging_config=None,
        version=1,
    )
    use_transport(app, kafka.bootstrap, kafka.fetch_wait_ms)
    return app


def _credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """TLS and login as Faust wants them. Raises Misconfigured for a certificate that can't be used."""
    context = tls_context(kafka) if kafka.security.endswith("ssl") else None
    if kafka.username is not None and kafka.password is not None and kafka.security.startswith("sasl"):
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value(),
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None
