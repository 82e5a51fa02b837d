"""What a request may see and change, of resources that are at hand rather than selected by a plan.

A resource outside of the fence is answered like one that does not exist; what a write would leave outside is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from resources.change import Stored
from resources.document import parse_document
from resources.problem import problem
from search.context import Context
from search.entry_text import Filter
from search.fence import WORDS, Letter, filter_within
from search.index import index_values
from search.index_values import IndexValues
from search.match import matches


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
    """The function that says whether a stored version may be changed; None where all may. Raises a 403 `Problem`."""
    fence = filter_within(context.fence, type_name, letter)
    return partial(_selects, fence, context=context) if fence else None


def check_content(type_name: str, logical_id: str, index: IndexValues, letter: Letter, context: Context) -> None:
    """Raise a 403 `Problem` where a resource would be outside of the fence once it is stored."""
    fence = filter_within(context.fence, type_name, letter)
    if fence and not matches(fence, {"_id": logical_id, **index.fields(logical_id)}):
        challenge = 'Bearer realm="fhir", error="insufficient_scope"'
        text = f"This access does not allow to {WORDS[letter]} {type_name} resources with this content."
        raise problem(403, "forbidden", text, headers={"WWW-Authenticate": challenge})
