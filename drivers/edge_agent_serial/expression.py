"""Small calculations in a recipe, without Python's `eval`. Pure.

Numbers, texts, `true`/`false`/`none`, names of fields, `+ - * / // % **`, comparisons, `in`,
`and or not`, `a if b else c`, and `abs round len min max`. Nothing else exists, so a recipe cannot
reach anything; sizes are bounded, so it cannot take long either.
"""

import ast
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from edge_agent.language import _
from edge_agent_serial.arithmetic import ARITHMETIC, COMPARISONS, FUNCTIONS, bounded, number, power

MOST_NODES = 100
"""Parts of one expression."""
LONGEST = 400
"""Characters of one expression."""
LONGEST_TEXT = 4096

Scalar: TypeAlias = bool | int | float | str | None

_CONSTANTS: Mapping[str, Scalar] = {"true": True, "false": False, "none": None}

_Step: TypeAlias = Callable[[Mapping[str, Any]], Any]


class ExpressionFailed(Exception):  # noqa: N818 - names say what happened
    """An expression has no result for these values: the message says why."""


class Expression:
    """A calculation that was checked when it was read.

    Attributes:
        text: As it was written.
        names: The fields it needs.
        equated: Those that it compares with each other directly, as in `sender == node`.
    """

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            ValueError: It is none, or asks for something that does not exist here.
        """
        self.text = text
        self.names: set[str] = set()
        self.equated: set[str] = set()
        self._run = self._step(_tree(text))

    def __call__(self, values: Mapping[str, Any]) -> Scalar:
        """Give the result for these values.

        Raises:
            ExpressionFailed: There is none, as for a division by zero or a missing value.
        """
        try:
            result = self._run(values)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ExpressionFailed(f"{self.text!r}: {error}") from error
        if isinstance(result, tuple) or (isinstance(result, float) and not math.isfinite(result)):
            raise ExpressionFailed(
                _("{text!r} gives {result!r}, which is no value").format(
                    text=self.text, result=result
                )
            )
        return result  # type: ignore[no-any-return]

    def is_true(self, values: Mapping[str, Any]) -> bool:
        """Tell whether the result is true; without a result it is not."""
        try:
            return bool(self(values))
        except ExpressionFailed:
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> "tuple[type[Expression], tuple[str]]":
        return Expression, (self.text,)  # what was made of it cannot be handed to another process

    def _step(self, node: ast.expr) -> _Step:
        build = _BUILDERS.get(type(node))
        if build is None:
            raise ValueError(
                _(
                    "{text!r}: {node!r} is not possible here; write numbers, texts, names of "
                    "fields, + - * / // % **, comparisons, and, or, not, if, abs, round, "
                    "len, min, max"
                ).format(text=self.text, node=ast.unparse(node))
            )
        return build(self, node)

    def _name(self, node: ast.Name) -> _Step:
        name = node.id
        if name.lower() in _CONSTANTS:
            constant = _CONSTANTS[name.lower()]
            return lambda values: constant
        self.names.add(name)
        return lambda values: values.get(name)

    def _constant(self, node: ast.Constant) -> _Step:
        constant = node.value
        if constant is not None and not isinstance(constant, bool | int | float | str):
            raise ValueError(
                _("{text!r}: {constant!r} is neither a number nor a text").format(
                    text=self.text, constant=constant
                )
            )
        return lambda values: constant

    def _tuple(self, node: ast.Tuple | ast.List) -> _Step:
        steps = [self._step(one) for one in node.elts]
        return lambda values: tuple(step(values) for step in steps)

    def _unary(self, node: ast.UnaryOp) -> _Step:
        step = self._step(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda values: not step(values)
        if isinstance(node.op, ast.USub):
            return lambda values: -number(step(values))
        if isinstance(node.op, ast.UAdd):
            return lambda values: number(step(values))
        raise ValueError(
            _("{text!r}: write not or -, nothing else of this kind").format(text=self.text)
        )

    def _binary(self, node: ast.BinOp) -> _Step:
        if type(node.op) not in ARITHMETIC:
            raise ValueError(
                _("{text!r}: only + - * / // % ** calculate here").format(text=self.text)
            )
        apply = power if isinstance(node.op, ast.Pow) else ARITHMETIC[type(node.op)]
        left, right = self._step(node.left), self._step(node.right)
        return lambda values: bounded(apply(number(left(values)), number(right(values))))

    def _logic(self, node: ast.BoolOp) -> _Step:
        steps = [self._step(one) for one in node.values]
        if isinstance(node.op, ast.And):
            return lambda values: all(step(values) for step in steps)
        return lambda values: any(step(values) for step in steps)

    def _comparison(self, node: ast.Compare) -> _Step:
        sides = [side for side in (node.left, *node.comparators) if isinstance(side, ast.Name)]
        if len(sides) > len(node.ops) and all(isinstance(op, ast.Eq) for op in node.ops):
            self.equated |= {side.id for side in sides}
        first = self._step(node.left)
        rest = [
            (COMPARISONS[type(op)], self._step(one))
            for op, one in zip(node.ops, node.comparators, strict=True)
        ]

        def compare(values: Mapping[str, Any]) -> bool:
            left = first(values)
            for holds, step in rest:
                right = step(values)
                if not holds(left, right):
                    return False
                left = right
            return True

        return compare

    def _choice(self, node: ast.IfExp) -> _Step:
        test, yes, no = self._step(node.test), self._step(node.body), self._step(node.orelse)
        return lambda values: yes(values) if test(values) else no(values)

    def _call(self, node: ast.Call) -> _Step:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            raise ValueError(
                _("{text!r}: only {functions} can be called here").format(
                    text=self.text, functions=", ".join(FUNCTIONS)
                )
            )
        function = FUNCTIONS[node.func.id]
        steps = [self._step(one) for one in node.args]
        return lambda values: function(*(step(values) for step in steps))


_BUILDERS: Mapping[type[ast.expr], Callable[[Expression, Any], _Step]] = {
    ast.Name: Expression._name,  # noqa: SLF001 - the table of the class above
    ast.Constant: Expression._constant,  # noqa: SLF001
    ast.Tuple: Expression._tuple,  # noqa: SLF001
    ast.List: Expression._tuple,  # noqa: SLF001
    ast.UnaryOp: Expression._unary,  # noqa: SLF001
    ast.BinOp: Expression._binary,  # noqa: SLF001
    ast.BoolOp: Expression._logic,  # noqa: SLF001
    ast.Compare: Expression._comparison,  # noqa: SLF001
    ast.IfExp: Expression._choice,  # noqa: SLF001
    ast.Call: Expression._call,  # noqa: SLF001
}


@lru_cache(maxsize=1024)
def expression(text: str) -> Expression:
    """Give an expression that was read before once more: each question needs a few.

    Raises:
        ValueError: It is none.
    """
    return Expression(text)


def _tree(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ValueError(
            _("an expression is at most {longest} characters; this one is {text}").format(
                longest=LONGEST, text=len(text)
            )
        )
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            _("{text!r} is no expression: {error}").format(text=text, error=error)
        ) from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise ValueError(
            _("{text!r} has more than {most_nodes} parts: make two fields of it").format(
                text=text, most_nodes=MOST_NODES
            )
        )
    return tree.body


def check_expression(text: str) -> str:
    """Let an expression pass that can be read."""
    Expression(text)
    return text


def _numbers_as_text(given: Any) -> Any:
    return str(given) if isinstance(given, int | float) else given


Calculation = Annotated[str, BeforeValidator(_numbers_as_text), AfterValidator(check_expression)]
"""The text of an expression, checked."""
