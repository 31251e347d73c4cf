"""Scanners: a service of its own asks SANE's own program, and the page asks the service over a Unix socket.

    python3 -m runtime.scanner --config PATH

SANE's backends are old, many and written in C; here they run as a user without rights, in a process that
is ended with the scan. Driverless scanners (eSCL over USB) speak through ipp-usb, on loopback alone.
"""
