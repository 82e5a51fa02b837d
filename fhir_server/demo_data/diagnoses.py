"""The diagnoses the population can have: what they are coded as, whom they befall, and how they are treated."""

from __future__ import annotations

from typing import NamedTuple

from .datatypes import ICD10, SNOMED, Coding


class Diagnosis(NamedTuple):
    """A diagnosis in SNOMED CT and ICD-10-CM.

    `share` of people have it at `full_age` and later; between `first_age` and `full_age` the share
    grows evenly; after `last_age` nobody gets it (childhood diagnoses). `medications` are keys of
    `medications.MEDICATIONS`.
    """

    key: str
    snomed: Coding
    icd10: Coding
    first_age: int
    full_age: int
    share: float
    medications: tuple[str, ...]
    last_age: int
    specialty: str

    def share_at(self, age: int) -> float:
        """Return the share of people of `age` who have the diagnosis."""
        if age <= self.first_age or age > self.last_age:
            return 0.0
        return self.share * min(1.0, (age - self.first_age) / (self.full_age - self.first_age))


def _diagnosis(
    key: str,
    snomed: tuple[str, str],
    icd10: tuple[str, str],
    ages: tuple[int, int],
    share: float,
    medications: str = "",
    last_age: int = 120,
    specialty: str = "general-practice",
) -> Diagnosis:
    codings = Coding(SNOMED, *snomed), Coding(ICD10, *icd10)
    return Diagnosis(key, *codings, *ages, share, tuple(medications.split()), last_age, specialty)


CHRONIC = (
    _diagnosis(
        "diabetes",
        ("44054006", "Diabetes mellitus type 2"),
        ("E11.9", "Type 2 diabetes mellitus without complications"),
        *((35, 65), 0.20, "metformin"),
        specialty="endocrinology",
    ),
    _diagnosis(
        "hypertension",
        ("59621000", "Essential hypertension"),
        ("I10", "Essential (primary) hypertension"),
        *((28, 70), 0.55, "lisinopril amlodipine"),
    ),
    _diagnosis(
        "hyperlipidemia",
        ("55822004", "Hyperlipidemia"),
        ("E78.5", "Hyperlipidemia, unspecified"),
        *((30, 65), 0.40, "atorvastatin"),
    ),
    _diagnosis(
        "asthma",
        ("195967001", "Asthma"),
        ("J45.909", "Unspecified asthma, uncomplicated"),
        *((3, 10), 0.09, "albuterol"),
    ),
    _diagnosis(
        "copd",
        ("13645005", "Chronic obstructive pulmonary disease"),
        ("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
        *((45, 75), 0.12, "albuterol"),
    ),
    _diagnosis(
        "coronary-disease",
        ("53741008", "Coronary arteriosclerosis"),
        ("I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris"),
        *((50, 80), 0.18, "aspirin metoprolol"),
        specialty="cardiology",
    ),
    _diagnosis(
        "heart-failure",
        ("84114007", "Heart failure"),
        ("I50.9", "Heart failure, unspecified"),
        *((58, 88), 0.12, "furosemide"),
        specialty="cardiology",
    ),
    _diagnosis(
        "atrial-fibrillation",
        ("49436004", "Atrial fibrillation"),
        ("I48.91", "Unspecified atrial fibrillation"),
        *((55, 85), 0.11, "warfarin"),
        specialty="cardiology",
    ),
    _diagnosis(
        "kidney-disease",
        ("433144002", "Chronic kidney disease stage 3"),
        ("N18.30", "Chronic kidney disease, stage 3 unspecified"),
        *((50, 85), 0.15),
    ),
    _diagnosis(
        "hypothyroidism",
        ("40930008", "Hypothyroidism"),
        ("E03.9", "Hypothyroidism, unspecified"),
        *((25, 70), 0.08, "levothyroxine"),
        specialty="endocrinology",
    ),
    _diagnosis(
        "depression",
        ("35489007", "Depressive disorder"),
        ("F32.A", "Depression, unspecified"),
        *((15, 35), 0.10, "sertraline"),
    ),
    _diagnosis(
        "anxiety",
        ("197480006", "Anxiety disorder"),
        ("F41.9", "Anxiety disorder, unspecified"),
        *((14, 30), 0.08),
    ),
    _diagnosis(
        "reflux",
        ("235595009", "Gastroesophageal reflux disease"),
        ("K21.9", "Gastro-esophageal reflux disease without esophagitis"),
        *((25, 55), 0.14, "omeprazole"),
    ),
    _diagnosis(
        "osteoarthritis",
        ("396275006", "Osteoarthritis"),
        ("M19.90", "Unspecified osteoarthritis, unspecified site"),
        *((45, 80), 0.30, "acetaminophen"),
    ),
    _diagnosis(
        "migraine",
        ("37796009", "Migraine"),
        ("G43.909", "Migraine, unspecified, not intractable, without status migrainosus"),
        *((12, 30), 0.08, "sumatriptan"),
    ),
    _diagnosis(
        "eczema",
        ("24079001", "Atopic dermatitis"),
        ("L20.9", "Atopic dermatitis, unspecified"),
        *((0, 3), 0.09),
        last_age=25,
    ),
)

# Short illnesses: each of them begins and ends within the years the chart covers.
ACUTE = (
    _diagnosis(
        "cold",
        ("82272006", "Common cold"),
        ("J00", "Acute nasopharyngitis [common cold]"),
        *((0, 2), 0.16),
    ),
    _diagnosis(
        "bronchitis",
        ("10509002", "Acute bronchitis"),
        ("J20.9", "Acute bronchitis, unspecified"),
        *((2, 20), 0.10, "amoxicillin"),
    ),
    _diagnosis(
        "otitis",
        ("65363002", "Otitis media"),
        ("H66.90", "Otitis media, unspecified, unspecified ear"),
        *((0, 2), 0.30, "amoxicillin"),
        last_age=10,
    ),
    _diagnosis(
        "urinary-infection",
        ("68566005", "Urinary tract infectious disease"),
        ("N39.0", "Urinary tract infection, site not specified"),
        *((16, 60), 0.09, "nitrofurantoin"),
    ),
    _diagnosis(
        "ankle-sprain",
        ("44465007", "Sprain of ankle"),
        ("S93.409A", "Sprain of unspecified ligament of unspecified ankle, initial encounter"),
        *((6, 18), 0.09, "ibuprofen"),
        last_age=70,
    ),
    _diagnosis(
        "gastroenteritis",
        ("111843007", "Viral gastroenteritis"),
        ("A08.4", "Viral intestinal infection, unspecified"),
        *((0, 3), 0.07),
    ),
)
DIAGNOSES = {diagnosis.key: diagnosis for diagnosis in (*CHRONIC, *ACUTE)}
