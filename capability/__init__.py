"""What is served: the table of interactions, and the CapabilityStatement made from it."""
