"""Reads an expression into its syntax tree, by precedence climbing.

http://hl7.org/fhirpath/N1/#operator-precedence
"""

from __future__ import annotations

from decimal import Decimal

from .errors import FhirPathSyntaxError
from .lexer import Token, tokens
from .quantity import CALENDAR_UNITS, Quantity
from .syntax import Call, Constant, Index, Literal, Name, Operation, Polarity, Special, Step, Syntax, TypeOperation
from .temporal import parse_date, parse_date_time, parse_time

# Both bounds keep a hostile text from exhausting the interpreter's stack: every syntactic level costs a few Python
# frames in the parser, in the compiler and in the evaluation.
_DEEPEST = 60
_LONGEST = 20_000
_LONGEST_CHAIN = 200
_MOST_DIGITS = 60

_PRECEDENCE = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<": 6,
    "<=": 6,
    ">": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
# Operators that the grammar allows as member names too (`Patient.contact.is`, `contains`).
_NAMES_ALSO = frozenset({"as", "is", "contains", "in"})
# Behind a dot it cannot be the operator, and `text.div` is what everybody writes.
_NARRATIVE = "div"


def parse(expression: str) -> Syntax:
    """The syntax tree of an expression. Raises FhirPathSyntaxError."""
    if len(expression) > _LONGEST:
        raise FhirPathSyntaxError(f"The expression is longer than {_LONGEST} characters", expression[:80], _LONGEST)
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = tokens(expression)
        self.at = 0
        self.depth = 0

    def whole(self) -> Syntax:
        tree = self.operation(1)
        if self.token.kind != "end":
            raise self.error(f"Unexpected {self.token.text!r}")
        return tree

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def error(self, message: str, token: Token | None = None) -> FhirPathSyntaxError:
        token = token or self.token
        if token.kind == "end":
            message = "The expression ends too early"
        return FhirPathSyntaxError(message, self.expression, token.position)

    def expect(self, symbol: str) -> Token:
        if not self.is_symbol(symbol):
            raise self.error(f"Expected {symbol!r}, found {self.token.text!r}")
        return self.next()

    def is_symbol(self, symbol: str) -> bool:
        return self.token.kind == "symbol" and self.token.text == symbol

    def operation(self, lowest: int) -> Syntax:
        """An expression whose operators bind at least as tightly as `lowest`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"The expression nests deeper than {_DEEPEST} levels")
        left = self.polarity()
        length = 0
        while self.token.kind in ("symbol", "word"):
            operator = self.token
            precedence = _PRECEDENCE.get(operator.text, 0)
            if precedence < lowest:
                break
            length += 1
            if length > _LONGEST_CHAIN:
                raise self.error(f"More than {_LONGEST_CHAIN} operators in a row")
            self.next()
            if operator.text in ("is", "as"):
                left = TypeOperation(operator.text, left, self.specifier(), operator.position)
            else:
                left = Operation(operator.text, left, self.operation(precedence + 1))
        self.depth -= 1
        return left

    def polarity(self) -> Syntax:
        if self.token.kind == "symbol" and self.token.text in "+-":
            operator = self.next().text
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self.error(f"The expression nests deeper than {_DEEPEST} levels")
            operand = self.polarity()
            self.depth -= 1
            return Polarity(operator, operand)
        return self.steps()

    def steps(self) -> Syntax:
        tree = self.term()
        length = 0
        while True:
            if self.is_symbol("."):
                self.next()
                tree = Step(tree, self.invocation(leads=False))
            elif self.is_symbol("["):
                self.next()
                tree = Index(tree, self.operation(1))
                self.expect("]")
            else:
                return tree
            length += 1
            if length > _LONGEST_CHAIN:
                raise self.error(f"More than {_LONGEST_CHAIN} steps in a row")

    def term(self) -> Syntax:
        token = self.token
        if token.kind == "symbol":
            return self.symbol_term()
        if token.kind == "number":
            return self.number()
        if token.kind == "word" and token.text in ("true", "false"):
            self.next()
            return Literal((token.text == "true",))
        if token.kind == "special":
            self.next()
            if token.text not in ("$this", "$index", "$total"):
                raise self.error(f"Unknown {token.text}", token)
            return Special(token.text[1:])
        if token.kind in ("string", "date", "datetime", "time"):
            self.next()
            return Literal((self.constant(token),))
        return self.invocation(leads=True)

    def symbol_term(self) -> Syntax:
        token = self.next()
        if token.text == "(":
            tree = self.operation(1)
            self.expect(")")
            return tree
        if token.text == "{":
            self.expect("}")
            return Literal(())
        if token.text == "%":
            name = self.next()
            if name.kind not in ("word", "delimited", "string"):
                raise self.error("Expected a name after %", name)
            text = name.text
            # `%vs-name` and `%ext-name` are written without quotes in older material.
            while text.split("-")[0] in ("vs", "ext") and self.is_symbol("-") and name.kind == "word":
                self.next()
                text += "-" + self.next().text
            return Constant(text)
        raise self.error(f"Unexpected {token.text!r}", token)

    def constant(self, token: Token) -> object:
        if token.kind == "string":
            return token.text
        if token.kind == "date":
            value: object = parse_date(token.text[1:])
        elif token.kind == "datetime":
            value = parse_date_time(token.text[1:])
        else:
            value = parse_time(token.text[2:])
        if value is None:
            raise self.error(f"{token.text} is not a date or time that exists", token)
        return value

    def number(self) -> Syntax:
        token = self.next()
        text = token.text
        if len(text) > _MOST_DIGITS:
            raise self.error(f"A number of more than {_MOST_DIGITS} characters", token)
        unit = self.token
        if unit.kind == "string":
            self.next()
            return Literal((Quantity(Decimal(text), unit.text),))
        if unit.kind == "word" and unit.text in CALENDAR_UNITS:
            self.next()
            return Literal((Quantity(Decimal(text), CALENDAR_UNITS[unit.text], calendar=True),))
        return Literal((Decimal(text) if "." in text else int(text),))

    def invocation(self, *, leads: bool) -> Syntax:
        token = self.next()
        if token.kind == "special" and not leads and token.text in ("$this", "$index", "$total"):
            return Special(token.text[1:])
        if token.kind != "delimited" and not (
            token.kind == "word"
            and (token.text not in _PRECEDENCE or token.text in _NAMES_ALSO or (token.text == _NARRATIVE and not leads))
        ):
            raise self.error(f"Expected a name, found {token.text!r}", token)
        if not self.is_symbol("("):
            return Name(token.text, leads)
        self.next()
        arguments: list[Syntax] = []
        if not self.is_symbol(")"):
            arguments.append(self.operation(1))
            while self.is_symbol(","):
                self.next()
                arguments.append(self.operation(1))
        self.expect(")")
        return Call(token.text, tuple(arguments), token.position)

    def specifier(self) -> str:
        parenthesised = self.is_symbol("(")
        if parenthesised:
            self.next()
        names = [self.specifier_name()]
        while self.is_symbol("."):
            self.next()
            names.append(self.specifier_name())
        if parenthesised:
            self.expect(")")
        return ".".join(names)

    def specifier_name(self) -> str:
        token = self.next()
        if token.kind not in ("word", "delimited"):
            raise self.error(f"Expected the name of a type, found {token.text!r}", token)
        return token.text
