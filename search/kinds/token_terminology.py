"""The modifiers of token parameters that ask what codes mean: `:in`, `:not-in`, `:below` and `:above`.

https://hl7.org/fhir/R4/search.html#modifiers

`:below` finds a code and what it subsumes, `:above` a code and what subsumes it. A code without a system stands for that
code in the system that the element implies, or else in every code system that is known here and has it.

Of a code system that is held in part only, a fragment, that part counts. Each modifier becomes the index entries of all
codes that are meant, so that one index answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from resources.problem import Problem, problem, quoted
from resources.terminology import CodeSystem, Expansion, TerminologyFault, UnknownCode
from search.context import Context
from search.entry_text import Filter, entry, equal_to
from search.escaping import split_value, unescaped
from search.parameters import Parameter

# Of one criterion. Each code is looked up in the index.
MAX_CODES = 10_000

Comparable = Callable[[str], str]
"""A code as it is compared, see `token`."""


def in_value_sets(parameter: Parameter, texts: Sequence[str], comparable: Comparable, context: Context) -> Filter:
    """The filter for codes in any of the value sets: by canonical URL, or `ValueSet/1` for one held here.

    Raises a 400 `Problem` for a set that is not known, or whose codes cannot be told.
    """
    keys: set[str] = set()
    for text in texts:
        for system, codes in _value_set(parameter, unescaped(text), context).codes.items():
            _add(keys, parameter, system, codes, comparable)
    return equal_to(*keys) if keys else {"k": {"$in": []}}


def _value_set(parameter: Parameter, url: str, context: Context) -> Expansion:
    # What can be taken for an address here is one; otherwise it is a name. https://hl7.org/fhir/R4/search.html#token
    literal = url.removeprefix(f"{context.base_url}/")
    try:
        found = context.terminology.value_set(literal)
        if found is None and literal != url:
            found = context.terminology.value_set(url)
    except TerminologyFault as fault:
        raise _refused(parameter, fault) from None
    if found is None:
        raise problem(400, "not-found", f"The value set {quoted(url)} of '{parameter.code}' is not known here.")
    return found


def related(
    parameter: Parameter, texts: Sequence[str], is_below: bool, comparable: Comparable, context: Context
) -> Filter:
    """The filter for codes that any of the given ones subsumes (below) or that subsume it, themselves included.

    Raises a 400 `Problem` for a system or code that is not known.
    """
    keys: set[str] = set()
    for text in texts:
        try:
            _add_related(keys, parameter, text, is_below, comparable, context)
        except TerminologyFault as fault:
            raise _refused(parameter, fault) from None
    return equal_to(*keys)


def _add_related(
    keys: set[str], parameter: Parameter, text: str, is_below: bool, comparable: Comparable, context: Context
) -> None:
    parts = split_value(text, "|", at_most=2)
    code = parts[-1]
    system = parts[0] if len(parts) == 2 else parameter.system
    if not code or system == "":
        raise _without(parameter, text, "names no code of a system")
    if system is not None:
        systems: Sequence[CodeSystem] = [context.terminology.known_system(system)]
        if systems[0].find(code, ignoring_case=True) is None:
            raise UnknownCode(system, code)
    elif parameter.types == {"code"}:
        raise _without(parameter, text, "needs a system before the code, as in system|code")
    else:
        systems = context.terminology.systems_with(code)
        if not systems:
            raise _without(parameter, text, "is in none of the code systems held here")
        keys.add(entry(parameter.code, comparable(code)))  # the code itself, whatever its system
    for known in systems:
        concept = known.find(code, ignoring_case=True)
        assert concept is not None  # as just made sure
        codes = known.descendants(concept.code) if is_below else known.ancestors(concept.code)
        _add(keys, parameter, known.url, codes, comparable)


def _add(keys: set[str], parameter: Parameter, system: str, codes: Iterable[str], comparable: Comparable) -> None:
    """Add the index entries of codes of a system."""
    # The entries of an element of type `code` carry no system, unless the element implies one.
    has_plain = "code" in parameter.types and parameter.system is None
    for code in codes:
        keys.add(entry(parameter.code, system, comparable(code)))
        if has_plain:
            keys.add(entry(parameter.code, comparable(code)))
    if len(keys) > MAX_CODES:
        raise problem(
            400, "too-costly", f"'{parameter.code}' is asked for more than {MAX_CODES:,} codes; name a smaller set."
        )


def _refused(parameter: Parameter, fault: TerminologyFault) -> Problem:
    return problem(400, fault.code, f"In '{parameter.code}': {fault.text}")


def _without(parameter: Parameter, text: str, why: str) -> Problem:
    return problem(400, "value", f"The value {quoted(text)} of '{parameter.code}' {why}.")
