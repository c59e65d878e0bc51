"""Bring every test server into the cache: `python -m tests.servers.install`, before tests that have deadlines."""

import sys
import time

from tests.servers.availability import Unavailable
from tests.servers.azure import install_azurite
from tests.servers.chromium import find_chromium
from tests.servers.gcs import install_fake_gcs
from tests.servers.kafka import install_kafka
from tests.servers.minio import install_minio
from tests.servers.redis import find_redis
from tests.servers.timescale import install_timescale

INSTALLERS = (
    install_kafka,
    install_timescale,
    install_minio,
    install_azurite,
    install_fake_gcs,
    find_redis,
    find_chromium,
)


def main() -> int:
    """Print one line for each server; the exit code is the number of servers that can't be had."""
    missing = 0
    for install in INSTALLERS:
        began_s = time.monotonic()
        try:
            line = f"{install()}  {time.monotonic() - began_s:.1f} s"
        except Unavailable as reason:
            missing += 1
            line = f"missing: {reason}"
        sys.stdout.write(f"{install.__name__}: {line}\n")
        sys.stdout.flush()
    return missing


if __name__ == "__main__":
    sys.exit(main())
