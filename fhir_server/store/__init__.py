"""Storage in MongoDB: the only place that knows collections, sessions and the driver."""
