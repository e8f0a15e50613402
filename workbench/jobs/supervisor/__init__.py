"""The one process per outputs/ that owns the devices: queue, workers, outcomes, housekeeping."""
