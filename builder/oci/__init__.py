"""`build --format oci`: the reading service as a container image, for those who have a host already."""
