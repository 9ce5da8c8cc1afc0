"""Serving targets: `interface` the port, `file_serving` an adapter."""
