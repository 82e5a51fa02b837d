"""Checks of SMART App Launch 2.2, OpenID Connect and the OAuth beneath it, over HTTP.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""
