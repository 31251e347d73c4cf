"""USB sticks: a small privileged helper that mounts, lists, reads and saves, and its client.

The helper is the only program on the station that may mount. It speaks one JSON line a message over
a Unix socket (`wire`), and has two backends: real block devices, and plain folders for `serve`.
"""
