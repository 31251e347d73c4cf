"""Documents: from a file's bytes to upright pages."""
