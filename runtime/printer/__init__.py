"""Printing: a service of its own speaks IPP to CUPS and to the printers, and the page asks it over a Unix socket.

    python3 -m runtime.printer --config PATH

CUPS listens on a Unix socket alone, converts what is to be printed in a process without rights, and hands it to
printers that need no driver: those that speak IPP over USB, through ipp-usb, on loopback.
"""
