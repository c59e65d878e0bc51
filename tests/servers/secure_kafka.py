"""A real Apache Kafka that lets nobody in without a name: TLS, SCRAM and rules, from the files of deploy/kafka."""

from __future__ import annotations

from pathlib import Path

from tests.servers.availability import run_tool
from tests.servers.cache import REPOSITORY
from tests.servers.certificates import authority
from tests.servers.kafka import KafkaServer, find_java, install_kafka, java_arguments
from tests.servers.ports import free_ports, is_listening

RECIPE = REPOSITORY / "deploy/kafka/principals.sh"
FRAGMENT = REPOSITORY / "deploy/kafka/server.properties"
ADMIN_PASSWORD = "made-up-for-tests"
_RECIPE_S = 60.0

# Kafka's own tools are in no jar that can be had, so their arguments are written down, and KafkaRecipe.java obeys.
_RECORDER = """#!/bin/sh
{{
  printf '%s' "${{0##*/}}"
  for word in "$@"; do
    [ "${{before:-}}" = --add-config-file ] && word=$(cat "$word")
    printf '\\t%s' "$word"
    before=$word
  done
  echo
}} >>{recorded}
"""


class SecureKafkaServer(KafkaServer):
    """As `KafkaServer`, with the settings of deploy/kafka/server.properties on its own ports and certificates."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._replication_port = free_ports(1)[0]
        self.authority = authority(folder / "tls")
        self._store = self.authority.certificate("kafka-broker").together()
        self.format_options = ("--add-scram", f"SCRAM-SHA-512=[name=admin,password={ADMIN_PASSWORD}]")

    def is_up(self) -> bool:
        return is_listening(self.port)

    def properties(self) -> str:
        """The plain node's, then the fragment's as it is in the repository, then this machine's places."""
        clients, replication = f"CLIENTS://127.0.0.1:{self.port}", f"REPLICATION://127.0.0.1:{self._replication_port}"
        here = {
            "listeners": f"{clients},{replication},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"{clients},{replication}",
            "ssl.keystore.location": self._store,
            "ssl.truststore.location": self.authority.file,
        }
        lines = "\n".join(f"{key}={value}" for key, value in here.items())
        return f"{super().properties()}\n{FRAGMENT.read_text()}\n{lines}\n"

    def admin_properties(self) -> Path:
        """The file that Kafka's tools log in with."""
        file = self.folder / "admin.properties"
        login = f'username="admin" password="{ADMIN_PASSWORD}"'
        file.write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nssl.truststore.type=PEM\n"
            f"ssl.truststore.location={self.authority.file}\n"
            f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required {login};\n"
        )
        return file

    def principals(self, *commands: tuple[str, ...]) -> dict[str, str]:
        """Run the recipe with each of these arguments; the passwords by name."""
        recorded = self.folder / "recorded"
        recorded.unlink(missing_ok=True)
        for tool in ("kafka-configs.sh", "kafka-acls.sh"):
            recorder = self.folder / tool
            recorder.write_text(_RECORDER.format(recorded=recorded))
            recorder.chmod(0o755)
        env = {
            "KAFKA_BOOTSTRAP": self.address.bootstrap,
            "KAFKA_ADMIN": str(self.admin_properties()),
            "KAFKA_BIN": str(self.folder),
        }
        printed = [run_tool(["sh", RECIPE, *words], self.folder, _RECIPE_S, env) for words in commands]
        program = Path(__file__).with_name("KafkaRecipe.java")
        java: list[str | Path] = [find_java(), *java_arguments(install_kafka()), program]
        run_tool([*java, recorded, self.admin_properties()], self.folder, _RECIPE_S)
        made = [line.partition(" ") for text in printed for line in text.splitlines()]
        return {name: password for name, _, password in made}
