"""The whole path under load: what is lost, late and spent. `python -m bench.pipeline`."""
