"""What a FHIR search means: parameters, index values, query text, plans, cursors. Pure: no Flask, no MongoDB driver."""
