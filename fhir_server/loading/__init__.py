"""Loading records from files, or from the demo data generator, straight into the store, on all cores."""
