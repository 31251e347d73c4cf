"""What runs on the station: the gateway, the engines, the media helper and the kiosk's pages."""
