"""The formats: JSON and XML."""
