"""Names of people: our own short lists, wide enough that search has accents and other scripts to fold.

A name is written "Latin|native" where the culture has a script of its own, and a family name
"male/female" where the two differ.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from random import Random
from typing import NamedTuple

# Letters that Unicode does not split into a base letter and a mark.
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "ı": "i", "đ": "d", "Đ": "D", "æ": "ae"})  # noqa: RUF001


class Culture(NamedTuple):
    """The names of one language's speakers: the language as BCP 47, how common it is here, and the lists."""

    language: str
    language_name: str
    weight: int
    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]
    family_first: bool = False


class PersonName(NamedTuple):
    """One person's name in Latin letters, and in the native script where the culture has one."""

    given: tuple[str, ...]
    family: str
    native_given: str = ""
    native_family: str = ""
    family_first: bool = False

    @property
    def text(self) -> str:
        """The whole name in Latin letters, in the order its bearer uses."""
        given = " ".join(self.given)
        return f"{self.family} {given}" if self.family_first else f"{given} {self.family}"

    @property
    def native_text(self) -> str:
        """The whole name in the native script, or nothing."""
        if not self.native_family:
            return ""
        if self.family_first:
            return self.native_family + self.native_given
        return f"{self.native_given} {self.native_family}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGLISH = Culture(
    "en",
    "English",
    40,
    _words("Abigail Beatrice Caroline Dorothy Eleanor Florence Grace Hannah Imogen Josephine Katherine Lydia Margaret"),
    _words(
        "Albert Benjamin Calvin Desmond Edward Franklin Gordon Henry Isaac Jonathan Kenneth Leonard Martin Nathaniel"
    ),
    _words(
        "Ashdown Birchwood Carmody Dunleavy Ellsworth Fairbanks Greenhalgh Holloway Ingram Jessop Kettering Langford"
        " Merriweather Northcote O'Connor O'Malley Pemberton Quigley Rutherford Smith-Jones Thackeray Underhill Winslow"
    ),
)
SPANISH = Culture(
    "es",
    "Spanish",
    16,
    _words("María Lucía Inés Sofía Ángela Begoña Rosalía Ximena Nuria"),
    _words("José Andrés Ramón Íñigo Tomás Joaquín Óscar Martín Raúl"),
    _words("García Muñoz Castañeda Ibáñez Núñez Gutiérrez Benítez Zúñiga Ordóñez Peña-Lobo"),
)
FRENCH = Culture(
    "fr",
    "French",
    5,
    _words("Amélie Chloé Éloïse Françoise Hélène Noémie Zoé"),
    _words("André Benoît François Jérôme Loïc Théo Étienne"),
    _words("Beaupré Côté Desrosiers Lefèvre Gagné Garçon L'Écuyer Boisvert"),
)
GERMAN = Culture(
    "de",
    "German",
    4,
    _words("Käthe Ursula Bärbel Annegret Sabine Jördis"),
    _words("Jürgen Götz Matthias Günther Uwe Björn"),
    _words("Müller Weiß Schröder Großmann Köhler Jäger Strauß"),
)
POLISH = Culture(
    "pl",
    "Polish",
    4,
    _words("Małgorzata Bożena Świętosława Zofia Łucja Agnieszka"),
    _words("Stanisław Łukasz Zbigniew Paweł Michał Wojciech"),
    _words("Wójcik Kowalski/Kowalska Żółtowski/Żółtowska Dąbrowski/Dąbrowska Gołąb Wróbel"),
)
SWEDISH = Culture(
    "sv",
    "Swedish",
    3,
    _words("Åsa Märta Ingrid Linnéa Ebba"),
    _words("Åke Björn Håkan Göran Lars Sören"),
    _words("Åberg Lindström Sjögren Öberg Hägglund Nyström"),
)
VIETNAMESE = Culture(
    "vi",
    "Vietnamese",
    4,
    _words("Hương Thảo Ngọc Phượng Tuyết Ánh"),
    _words("Đức Dũng Hải Quân Tuấn Việt"),
    _words("Nguyễn Trần Lê Phạm Đặng Võ"),
    family_first=True,
)
TURKISH = Culture(
    "tr",
    "Turkish",
    2,
    _words("Ayşe Gülşen İpek Çiğdem Şükran"),
    _words("Işık Oğuz Çağrı Ömer İbrahim"),  # noqa: RUF001
    _words("Yıldız Öztürk Çelik Şahin Güneş"),  # noqa: RUF001
)
CHINESE = Culture(
    "zh",
    "Chinese",
    6,
    _words("Mingyue|明月 Xiulan|秀兰 Yating|雅婷 Jing|静 Lihua|丽华"),
    _words("Wei|伟 Jianguo|建国 Zihan|子涵 Qiang|强 Haoran|浩然"),
    _words("Li|李 Wang|王 Zhang|张 Chen|陈 Zhao|赵 Ouyang|欧阳"),
    family_first=True,
)
JAPANESE = Culture(
    "ja",
    "Japanese",
    2,
    _words("Yūko|裕子 Haruka|遥 Sakura|さくら Kiyomi|清美"),
    _words("Kenji|健二 Hiroshi|浩 Shōta|翔太 Takumi|匠"),
    _words("Satō|佐藤 Itō|伊藤 Takahashi|高橋 Ōno|大野"),
    family_first=True,
)
KOREAN = Culture(
    "ko",
    "Korean",
    3,
    _words("Ji-woo|지우 Seo-yeon|서연 Min-ji|민지 Eun-ha|은하"),
    _words("Min-jun|민준 Dong-hyun|동현 Sung-ho|성호 Tae-yang|태양"),
    _words("Kim|김 Park|박 Choi|최 Jung|정"),
    family_first=True,
)
ARABIC = Culture(
    "ar",
    "Arabic",
    4,
    _words("Fatima|فاطمة Layla|ليلى Noor|نور Samira|سميرة"),
    _words("Ahmad|أحمد Khalid|خالد Yusuf|يوسف Omar|عمر"),
    _words("Haddad|حداد Mansour|منصور Al-Najjar|النجار Khoury|خوري"),
)
RUSSIAN = Culture(
    "ru",
    "Russian",
    3,
    _words("Natalia|Наталья Svetlana|Светлана Yekaterina|Екатерина Olga|Ольга"),
    _words("Dmitri|Дмитрий Alexei|Алексей Fyodor|Фёдор Sergei|Сергей"),
    _words("Orlov|Орлов/Orlova|Орлова Sokolov|Соколов/Sokolova|Соколова Bondarenko|Бондаренко"),
)
GREEK = Culture(
    "el",
    "Greek",
    2,
    _words("Eleni|Ελένη Despina|Δέσποινα Katerina|Κατερίνα"),
    _words("Giorgos|Γιώργος Nikos|Νίκος Stavros|Σταύρος"),
    _words("Vlachos|Βλάχος/Vlachou|Βλάχου Kallas|Κάλλας/Kalla|Κάλλα Laskaris|Λάσκαρης/Laskari|Λάσκαρη"),
)
HINDI = Culture(
    "hi",
    "Hindi",
    4,
    _words("Ananya|अनन्या Priya|प्रिया Lakshmi|लक्ष्मी Meera|मीरा"),
    _words("Arjun|अर्जुन Rohan|रोहन Vikram|विक्रम Sanjay|संजय"),
    _words("Sharma|शर्मा Patel|पटेल Gupta|गुप्ता Joshi|जोशी"),
)
CULTURES = (
    *(ENGLISH, SPANISH, FRENCH, GERMAN, POLISH, SWEDISH, VIETNAMESE, TURKISH),
    *(CHINESE, JAPANESE, KOREAN, ARABIC, RUSSIAN, GREEK, HINDI),
)
# Each culture as often as it weighs: one index draws from it, faster than weighted choices.
_DRAW = tuple(culture for culture in CULTURES for _ in range(culture.weight))


def draw_culture(random: Random) -> Culture:
    """Return a culture, the common ones more often."""
    return _DRAW[int(random.random() * len(_DRAW))]


def draw_family(random: Random, culture: Culture) -> str:
    """Return a family name as the list writes it; `person_name` reads it for a man or a woman."""
    return culture.family[int(random.random() * len(culture.family))]


def person_name(random: Random, culture: Culture, gender: str, family: str) -> PersonName:
    """Return a name of `culture` for somebody of `gender` in the family `family` (from `draw_family`)."""
    lists = (culture.female, culture.male)
    chosen = lists[0] if gender == "female" else lists[1] if gender == "male" else lists[int(random.random() * 2)]
    first, _, native = chosen[int(random.random() * len(chosen))].partition("|")
    given: tuple[str, ...] = (first,)
    # A middle name only where the script is Latin: a native form has no place for it.
    if not native and not culture.family_first and random.random() < 0.35:
        middle = chosen[int(random.random() * len(chosen))]
        if middle != first:
            given = (first, middle)
    forms = family.split("/")
    latin, _, native_family = forms[-1 if gender == "female" else 0].partition("|")
    return PersonName(given, latin, native, native_family, culture.family_first)


@lru_cache(maxsize=4096)
def ascii_letters(text: str) -> str:
    """Return `text` in plain lower-case letters, for an e-mail address."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum()).lower()
