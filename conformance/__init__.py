"""A conformance kit for FHIR servers: it speaks HTTP, knows nothing of any server's inside, and takes any base URL."""
