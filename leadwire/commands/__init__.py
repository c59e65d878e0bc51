"""The commands, one noun each; heavy libraries are imported by the command that needs them, so `--help` is instant."""
