"""The interactions with resources one by one, and the CapabilityStatement."""
