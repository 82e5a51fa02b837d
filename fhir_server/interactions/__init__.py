"""One file per interaction of the FHIR REST API. https://hl7.org/fhir/R4/http.html"""
