"""What a graphics card asks of a build: modules, driver versions, machine code in libraries."""
