"""The XML form of resources, both ways, driven by the definitions. Pure.

https://hl7.org/fhir/R4/xml.html
"""

from resources.xml.from_xml import json_from_xml
from resources.xml.to_xml import xml_from_json

__all__ = ["json_from_xml", "xml_from_json"]
