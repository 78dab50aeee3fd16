"""Read GraceTHD deliveries into one inventory, its layered network, and the route of every prise."""
