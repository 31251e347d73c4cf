"""The gateway: what other programs and the kiosk's page talk to; it outlives the engines behind it."""
