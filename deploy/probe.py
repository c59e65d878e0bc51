"""A container's health check: exits 0 when the URL given answers 200, else says why and exits 1."""

from __future__ import annotations

import sys
import urllib.request


def main(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # the URL is the compose file's own
            return 0 if answer.status == 200 else 1
    except OSError as error:
        sys.stdout.write(f"{url}: {error}; see this service's log\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
