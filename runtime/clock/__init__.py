"""The machine's clock: a station without a network has nobody to ask, and its clock drifts.

`setting` asks and sets the kernel's clock and the one on the board; `server` is the small privileged
program that does it for the gateway, started when it is first asked; `client` is the gateway's side.
"""
