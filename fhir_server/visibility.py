"""What a request may see and change, of resources that are at hand rather than selected by a plan.

A resource outside of the fence is answered like one that does not exist; what a write would leave outside is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from resources.change import IndexFields, Stored
from resources.document import parse_document
from resources.problem import Problem, problem
from search.context import Context
from search.entry_text import Filter
from search.fence import WORDS, Letter, filter_within
from search.index import index_values
from search.match import matches

SEEING: tuple[Letter, ...] = ("r", "s")


def is_visible(stored: Stored, letter: Letter, context: Context) -> bool:
    """Whether something may be done with a stored version, by its own content. Raises a 403 `Problem` if with none.

    Of a deletion nothing is known any more, so it is visible only to those who may see all.
    """
    return _selects(filter_within(context.fence, stored.type, letter), stored, context)


def _selects(fence: Filter, stored: Stored, context: Context) -> bool:
    if not fence:
        return True
    if stored.raw is None:
        return False
    tree = parse_document(stored.raw, stored.type).tree
    return matches(fence, {"_id": stored.id, **index_values(tree, context).fields(stored.id)})


def guard_of(type_name: str, letter: Letter, context: Context) -> Callable[[Stored], bool] | None:
    """The function that says whether a stored version may be changed; None where all may. Raises a 403 `Problem`.

    So does the function, for what may be seen but not changed: who knows that it is there is told the truth.
    """
    fence = filter_within(context.fence, type_name, letter)
    return partial(_may_change, fence, letter, context) if fence else None


def _may_change(fence: Filter, letter: Letter, context: Context, stored: Stored) -> bool:
    if _selects(fence, stored, context):
        return True
    if may_see(stored, context):
        raise forbidden_content(stored.type, letter)
    return False


def may_see(stored: Stored, context: Context) -> bool:
    """Whether the content of a stored version may be shown at all, whichever way it was come by."""
    fences = [context.fence.within(stored.type, letter) for letter in SEEING]
    return not stored.is_deleted and any(fence is not None and _selects(fence, stored, context) for fence in fences)


def check_content(type_name: str, logical_id: str, index: IndexFields, letter: Letter, context: Context) -> None:
    """Raise a 403 `Problem` where a resource would be outside of the fence once it is stored under this id."""
    fence = filter_within(context.fence, type_name, letter)
    if fence and not matches(fence, {"_id": logical_id, **index(logical_id)}):
        raise forbidden_content(type_name, letter)


def forbidden_content(type_name: str, letter: Letter) -> Problem:
    """What to say to whoever may do this with some resources of a type, but not with one of this content."""
    challenge = 'Bearer realm="fhir", error="insufficient_scope"'
    text = f"This access does not allow to {WORDS[letter]} {type_name} resources with this content."
    return problem(403, "forbidden", text, headers={"WWW-Authenticate": challenge})
