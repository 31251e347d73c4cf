"""The engine process: one model, one page at a time, on a Unix socket."""
