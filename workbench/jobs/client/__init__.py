"""The job manager as every process uses it, and its commands. Owns no device and renders nothing."""
