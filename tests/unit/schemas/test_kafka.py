"""Every client gets the same address, TLS and login, and what can't work is told before anything connects."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from schemas.kafka import client_options
from schemas.settings import KafkaSettings, Settings
from tests.servers.certificates import authority

SECRET = "between-us"


def settings(**given: object) -> KafkaSettings:
    return KafkaSettings.model_validate({"bootstrap": "kafka:9092", **given})


def test_without_security_only_the_address_is_given() -> None:
    assert client_options(settings()) == {"bootstrap_servers": "kafka:9092", "security_protocol": "PLAINTEXT"}


def test_a_login_carries_mechanism_name_and_password() -> None:
    options = client_options(settings(security="sasl_plaintext", username="worker", password=SECRET))
    assert options.get("sasl_mechanism") == "SCRAM-SHA-512"
    assert (options.get("sasl_plain_username"), options.get("sasl_plain_password")) == ("worker", SECRET)
    assert "ssl_context" not in options


def test_tls_checks_the_certificate_and_the_host_name(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    options = client_options(settings(security="sasl_ssl", username="w", password=SECRET, ca_file=ca.file))
    context = options["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def test_a_client_certificate_is_read_with_its_key(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    pair = ca.certificate("device")
    options = client_options(settings(security="ssl", ca_file=ca.file, cert_file=pair.file, key_file=pair.key))
    assert "ssl_context" in options


@pytest.mark.parametrize(
    ("fields", "name"),
    [(("ca_file",), "LEADWIRE_KAFKA_CA_FILE"), (("cert_file", "key_file"), "LEADWIRE_KAFKA_CERT_FILE")],
)
def test_a_file_that_is_no_certificate_is_named_with_the_remedy(
    tmp_path: Path, fields: tuple[str, ...], name: str
) -> None:
    file = tmp_path / "x.pem"
    file.write_text("no certificate")
    files = dict.fromkeys(fields, file)
    with pytest.raises(Misconfigured, match=rf"{name}=.*x\.pem can't be used.*PEM"):
        client_options(settings(security="ssl", **files))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"LEADWIRE_KAFKA_SECURITY": "sasl_ssl"}, "set LEADWIRE_KAFKA_USERNAME"),
        ({"LEADWIRE_KAFKA_SECURITY": "ssl", "LEADWIRE_KAFKA_CERT_FILE": "x"}, "set both, or none"),
        ({"LEADWIRE_KAFKA_CA_FILE": "x"}, "choose sasl_ssl or ssl"),
        ({"LEADWIRE_KAFKA_SECURITY": "tls"}, "LEADWIRE_KAFKA_SECURITY"),
        ({"LEADWIRE_KAFKA_SASL_MECHANISM": "GSSAPI"}, "LEADWIRE_KAFKA_SASL_MECHANISM"),
        ({"LEADWIRE_KAFKA_TOPIC_HOURS": '{"ecg.sample": 4}'}, "ecg.sample: 4 is not one of ecg.samples"),
        ({"LEADWIRE_KAFKA_TOPIC_BYTES": "many"}, "LEADWIRE_KAFKA_TOPIC_BYTES.*write JSON"),
    ],
)
def test_settings_that_can_not_work_are_told_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], says: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=says):
        _ = Settings().kafka


def test_the_password_is_never_printed() -> None:
    assert SECRET not in repr(settings(security="sasl_ssl", username="w", password=SECRET))


def test_a_wrong_password_setting_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADWIRE_KAFKA_SECURITY", "sasl_ssl")
    monkeypatch.setenv("LEADWIRE_KAFKA_PASSWORD", SECRET)
    with pytest.raises(Misconfigured) as told:
        _ = Settings().kafka
    assert SECRET not in str(told.value)
