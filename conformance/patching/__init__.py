"""Patches: JSON Patch and FHIRPath Patch, in JSON and XML."""
