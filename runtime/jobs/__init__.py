"""Jobs: documents accepted, kept on disk or tmpfs, and read page by page whatever dies meanwhile."""
