"""How every Kafka client of ours connects: the address, TLS and the login, as aiokafka's keyword arguments."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NotRequired, TypedDict

from schemas.errors import Misconfigured
from schemas.settings import KafkaSettings


class ClientOptions(TypedDict):
    """What each aiokafka client takes beside its own options."""

    bootstrap_servers: str
    security_protocol: str
    ssl_context: NotRequired[ssl.SSLContext]
    sasl_mechanism: NotRequired[str]
    sasl_plain_username: NotRequired[str]
    sasl_plain_password: NotRequired[str]


def client_options(settings: KafkaSettings) -> ClientOptions:
    """The keyword arguments of a client that is about to connect; reads the files of certificates.

    Raises Misconfigured when one can't be used.
    """
    options = ClientOptions(bootstrap_servers=settings.bootstrap, security_protocol=settings.security.upper())
    if settings.security.endswith("ssl"):
        options["ssl_context"] = tls_context(settings)
    if settings.security.startswith("sasl") and settings.username is not None and settings.password is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.username
        options["sasl_plain_password"] = settings.password.get_secret_value()
    return options


def remedy(settings: KafkaSettings) -> str:
    """What to do when no Kafka answers there."""
    login = f" and its login as {settings.username}" if settings.security.startswith("sasl") else ""
    return (
        "start the broker, or set LEADWIRE_KAFKA_BOOTSTRAP; see that it takes "
        f"LEADWIRE_KAFKA_SECURITY={settings.security}{login} there"
    )


def tls_context(settings: KafkaSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer that checks the broker's certificate and host name. Raises Misconfigured."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise _unusable("LEADWIRE_KAFKA_CA_FILE", settings.ca_file, error) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None:
        try:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("LEADWIRE_KAFKA_CERT_FILE", settings.cert_file, error) from error
    return context


def _unusable(name: str, file: Path | None, error: Exception) -> Misconfigured:
    return Misconfigured(f"{name}={file} can't be used ({error}); name a PEM file that this process may read")
