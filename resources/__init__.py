"""What a FHIR resource is: definitions, text, validation, references, changes, Bundles. Pure: no Flask, no MongoDB."""
