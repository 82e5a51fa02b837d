"""Turns a syntax tree into Python closures, once an expression.

http://hl7.org/fhirpath/N1/#path-selection and https://hl7.org/fhir/R4/fhirpath.html

Every closure takes the scope and the focus. A sub-expression exists in two forms, as a collection and as a boolean
(None for empty), so that `a.exists() or b.exists()` runs without building collections.
"""

from __future__ import annotations

from dataclasses import replace

from .errors import FhirPathError, FhirPathSyntaxError
from .fast_paths import Walk, walk_of
from .functions import FUNCTIONS, Compiled, Evaluate, Function, Truth, of_items, of_truth
from .nodes import Items, Node, append_member, is_a
from .operators import binary, index, polarity
from .scope import Scope
from .syntax import Call, Constant, Index, Literal, Name, Operation, Polarity, Special, Step, Syntax, TypeOperation
from .types import type_test

_TYPE_FUNCTIONS = ("is", "as", "ofType")


def compile_syntax(tree: Syntax, expression: str) -> Compiled:
    """The closures of a syntax tree; `expression` is the text, for error messages. Raises FhirPathSyntaxError."""
    return _Compiler(expression).compile(tree)


class _Compiler:
    def __init__(self, expression: str) -> None:
        self.expression = expression

    def compile(self, tree: Syntax) -> Compiled:
        match tree:
            case Literal(values):
                constant = list(values)
                return of_items(lambda _scope, _focus: constant)
            case Name():
                return self.name(tree)
            case Step(target, Name() as name):
                return self.step(self.compile(target), name.name)
            case Step(target, Call() as call):
                return self.call(call, self.compile(target))
            case Step(target, then):
                return self.compile_after(self.compile(target), self.compile(then))
            case Call():
                return self.call(tree, None)
            case Index(target, position):
                return of_items(index(self.compile(target), self.compile(position)))
            case Special(name):
                return of_items(_special(name))
            case Constant(name):
                return of_items(lambda scope, _focus: scope.run.constant(name))
            case Polarity(operator, operand):
                inner = self.compile(operand)
                return replace(of_items(polarity(operator, inner)), ascending=inner if operator == "-" else None)
            case Operation(operator, left, right):
                return binary(operator, self.compile(left), self.compile(right), right)
            case TypeOperation(operator, operand, specifier, position):
                return self.typed(operator, self.compile(operand), specifier, position)
        raise AssertionError(tree)

    @staticmethod
    def compile_after(target: Compiled, then: Compiled) -> Compiled:
        return of_items(lambda scope, focus: then.items(scope, target.items(scope, focus)))

    def name(self, tree: Name) -> Compiled:
        name = tree.name

        def items(_scope: Scope, focus: Items) -> Items:
            out: Items = []
            for item in focus:
                if item.__class__ is Node:
                    append_member(out, item, name)
            return out

        def items_or_type(_scope: Scope, focus: Items) -> Items:
            out: Items = []
            for item in focus:
                if item.__class__ is Node:
                    if item.type_name == name or is_a(item.type_name, name):
                        out.append(item)
                    else:
                        append_member(out, item, name)
            return out

        leads_with_type = tree.leads and name[:1].isupper()
        return replace(of_items(items_or_type if leads_with_type else items), path=None if leads_with_type else (name,))

    def step(self, target: Compiled, name: str) -> Compiled:
        before = target.items

        def items(scope: Scope, focus: Items) -> Items:
            out: Items = []
            for item in before(scope, focus):
                if item.__class__ is Node:
                    append_member(out, item, name)
            return out

        return replace(of_items(items), path=None if target.path is None else (*target.path, name))

    def call(self, call: Call, target: Compiled | None) -> Compiled:
        if call.name in _TYPE_FUNCTIONS:
            return self.type_call(call, target)
        function = FUNCTIONS.get(call.name)
        if function is None:
            raise FhirPathSyntaxError(f"There is no function {call.name}()", self.expression, call.position)
        if not function.least <= len(call.arguments) <= function.most:
            message = f"{call.name}() takes {_arity(function)} arguments, not {len(call.arguments)}"
            raise FhirPathSyntaxError(message, self.expression, call.position)
        arguments = tuple(self.compile(one) for one in call.arguments)
        if target is not None and not arguments:
            fast = _fast_call(call.name, target)
            if fast is not None:
                return fast
        return _applied(function, target, arguments)

    def type_call(self, call: Call, target: Compiled | None) -> Compiled:
        specifier = _specifier(call.arguments[0]) if len(call.arguments) == 1 else None
        if specifier is None:
            message = f"{call.name}() takes the name of a type"
            raise FhirPathSyntaxError(message, self.expression, call.position)
        target = target or of_items(lambda _scope, focus: focus)
        return self.typed(call.name, target, specifier, call.position)

    def typed(self, operator: str, target: Compiled, specifier: str, position: int) -> Compiled:
        test = type_test(specifier, exact_primitives=operator != "is")
        if test is None:
            raise FhirPathSyntaxError(f"There is no type {specifier}", self.expression, position)
        before = target.items
        if operator == "is":

            def holds(scope: Scope, focus: Items) -> bool | None:
                items = before(scope, focus)
                if not items:
                    return None
                return test(_only(items))

            return of_truth(holds)
        # `as` is defined for a single item only; R4's own search parameters and invariants apply it to many, where it
        # can only mean what `ofType` means.
        return of_items(lambda scope, focus: [item for item in before(scope, focus) if test(item)])


def _only(items: Items) -> object:
    if len(items) > 1:
        raise FhirPathError(f"is takes a single item, not {len(items)}")
    return items[0]


def _specifier(tree: Syntax) -> str | None:
    if isinstance(tree, Name):
        return tree.name
    if isinstance(tree, Step) and isinstance(tree.target, Name) and isinstance(tree.then, Name):
        return f"{tree.target.name}.{tree.then.name}"
    return None


def _special(name: str) -> Evaluate:
    if name == "this":
        return lambda scope, _focus: scope.this
    if name == "index":
        return lambda scope, _focus: [] if scope.index is None else [scope.index]
    return lambda scope, _focus: scope.total or []


def _fast_call(name: str, target: Compiled) -> Compiled | None:
    """`exists()`, `empty()`, `count()` of a plain path without Nodes, and `not()` of what is a boolean already."""
    if name == "not":
        holds = target.truth

        def negated(scope: Scope, focus: Items) -> bool | None:
            value = holds(scope, focus)
            return None if value is None else not value

        return of_truth(negated)
    if target.path is None or name not in ("exists", "empty", "count"):
        return None
    walk = walk_of(target.path)
    if walk is None:
        return None
    if name == "count":
        return of_items(_counting(walk, target.items))
    return of_truth(_existing(walk, target.items) if name == "exists" else _empty(walk, target.items))


def _counting(walk: Walk, items: Evaluate) -> Evaluate:
    def count(scope: Scope, focus: Items) -> Items:
        found = walk(focus)
        return [found if found >= 0 else len(items(scope, focus))]

    return count


def _existing(walk: Walk, items: Evaluate) -> Truth:
    def exists(scope: Scope, focus: Items) -> bool:
        found = walk(focus)
        return found > 0 if found >= 0 else bool(items(scope, focus))

    return exists


def _empty(walk: Walk, items: Evaluate) -> Truth:
    def empty(scope: Scope, focus: Items) -> bool:
        found = walk(focus)
        return found == 0 if found >= 0 else not items(scope, focus)

    return empty


def _applied(function: Function, target: Compiled | None, arguments: tuple[Compiled, ...]) -> Compiled:
    run = function.run
    before: Evaluate = target.items if target is not None else lambda _scope, focus: focus
    wrap = of_truth if function.gives_truth else of_items
    if function.form == "lazy":
        return wrap(lambda scope, focus: run(scope, before(scope, focus), *arguments))
    if not arguments:
        return wrap(lambda scope, focus: run(scope, before(scope, focus)))
    if len(arguments) == 1:
        only = arguments[0].items
        return wrap(lambda scope, focus: run(scope, before(scope, focus), only(scope, scope.this)))
    evaluations = tuple(argument.items for argument in arguments)
    # An argument is evaluated where the whole call stands, not on what the call is applied to.
    return wrap(lambda scope, focus: run(scope, before(scope, focus), *[one(scope, scope.this) for one in evaluations]))


def _arity(function: Function) -> str:
    return str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
