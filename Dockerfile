# One image for `leadwire gateway | worker | hrv | api | migrate`.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/leadwire
COPY requirements/run.txt /src/requirements/run.txt
RUN /opt/leadwire/bin/pip install --require-hashes -r /src/requirements/run.txt
COPY pyproject.toml README.md /src/
COPY schemas /src/schemas
COPY storage /src/storage
COPY web /src/web
COPY ingest /src/ingest
COPY processors /src/processors
COPY api /src/api
COPY leadwire /src/leadwire
# setuptools is pinned in run.txt, so nothing is fetched here.
RUN /opt/leadwire/bin/pip install --no-deps --no-build-isolation /src
# Whole seconds, as image layers keep them: the compiled kernels are bound to the times of their sources.
RUN find /opt/leadwire/lib/python3.11/site-packages/processors /opt/leadwire/lib/python3.11/site-packages/storage -name "*.py" -exec touch --date=2026-01-01T00:00:00Z {} +

FROM python:3.11-slim
RUN groupadd --gid 10001 leadwire \
 && useradd --uid 10001 --gid leadwire --create-home leadwire \
 && install --directory --owner leadwire --group leadwire /var/cache/leadwire
COPY --from=build /opt/leadwire /opt/leadwire
COPY deploy/probe.py /opt/leadwire/
# numba writes beside its cache's index before it reads it, so the folder has to stay writable for the user.
ENV PATH=/opt/leadwire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/cache/leadwire/numba \
    MPLCONFIGDIR=/var/cache/leadwire/matplotlib
USER leadwire
WORKDIR /home/leadwire
# The first block should not wait for a compiler. On a processor other than the builder's, numba compiles once more.
RUN python -m processors.ecg.warm && python -m storage.waveform_codec.warm
CMD ["leadwire", "--help"]
