"""Which questions bring the wanted values, and which answers pass for each other. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.driver import Plan
from edge_agent.language import _
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.expression import ExpressionFailed, Scalar, expression
from edge_agent_serial.nearest import did_you_mean
from edge_agent_serial.recipe import Recipe, Request
from edge_agent_serial.request import NoRequest, build, calculated, settled


class Question(NamedTuple):
    """A request of a recipe to one instrument.

    Attributes:
        request: Its name.
        parameters: Name and value of all that differ from one instrument or point to the next.
    """

    request: str
    parameters: tuple[tuple[str, Scalar], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.request, *(f"{name}={value}" for name, value in self.parameters)])


@dataclass(frozen=True, slots=True)
class SerialPlan(Plan[SerialAddress]):
    """What is asked for some addresses.

    Attributes:
        questions: Each once. A session, or a stream, has one for each set of parameters.
        sources: One per address: the place of its question, or why there is none.
        wait: Seconds to wait for a frame, where nothing is asked for it.
    """

    questions: tuple[Question, ...] = ()
    sources: tuple[int | str, ...] = ()
    wait: float = 0.0


class Questions:
    """Finds the question for an address.

    Args:
        recipe: What can be asked.
        parameters: Those set for the whole line.
    """

    def __init__(self, recipe: Recipe, parameters: Mapping[str, Scalar]) -> None:
        self.recipe = recipe
        self._parameters = parameters

    def plan(
        self, addresses: Sequence[SerialAddress], *, asks: bool
    ) -> tuple[tuple[Question, ...], tuple[int | str, ...]]:
        """Give the questions for these addresses, and which of them each address belongs to.

        Args:
            addresses: What is wanted.
            asks: Whether requests are sent; else there is one nameless question for each set of
                parameters.
        """
        places: dict[Question, int] = {}
        sources: list[int | str] = []
        for address in addresses:
            try:
                question = self.question(address, asks=asks)
            except NoRequest as error:
                sources.append(str(error))
            else:
                sources.append(places.setdefault(question, len(places)))
        return tuple(places), tuple(sources)

    def question(self, address: SerialAddress, *, asks: bool = True) -> Question:
        """Give the question whose answer holds the address.

        Raises:
            NoRequest: There is none; the message says why.
        """
        self._check_field(address)
        given = {**self._parameters, **address.parameters}
        given |= self._alone(address, given)
        if not asks:
            return _question("", settled(self.recipe.parameters, given))
        why = ""
        for request in self._that_bring(address):
            values = settled(self.recipe.parameters, {**given, **self._preset(address, request)})
            try:
                self._check_piece(address, values)
                build(self.recipe, request.send, calculated(request, values))
            except NoRequest as error:
                why = why or str(error)
            else:
                return _question(request.name, values)
        raise NoRequest(why or self._none_fits(address))

    def faults(self, address: SerialAddress, *, asks: bool) -> dict[str, str]:
        """Say what of an address cannot work: key -> sentence."""
        known = [*type(address).model_fields, *self.recipe.parameters]
        found = {
            key: _("is not a known key; {key}").format(key=did_you_mean(key, known))
            for key in address.parameters
            if key not in self.recipe.parameters
        }
        for key, value in address.parameters.items():
            if key in self.recipe.parameters:
                try:
                    self.recipe.parameters[key].check(key, value)
                except ValueError as error:
                    found[key] = str(error)
        try:
            if found:  # which question it would be is not known
                self._check_field(address)
            else:
                self.question(address, asks=asks)
        except NoRequest as error:
            found[self._culprit(address)] = str(error)
        return found

    def _culprit(self, address: SerialAddress) -> str:
        """Name the key that a complaint is about; empty for the address as a whole."""
        try:
            self._check_field(address)
        except NoRequest:
            return "field"
        return "request" if address.request is not None else ""

    def _check_field(self, address: SerialAddress) -> None:
        known = self.recipe.field_names()
        name = address.field.split(".", 1)[0]  # a text cut into pieces gives name.0, name.1
        if name not in known and not self.recipe.is_dynamic:
            hint = did_you_mean(address.field, known)
            raise NoRequest(
                _("there is no field {field!r}; {hint}").format(field=address.field, hint=hint)
            )

    def _alone(self, address: SerialAddress, given: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """Give the parameters that ask for one piece, as far as they are not given."""
        name, _dot, piece = address.field.partition(".")
        field = self.recipe.fields.get(name)
        if field is None or not piece.isdecimal():
            return {}
        known = {**settled(self.recipe.parameters, given), "piece": int(piece)}
        missing = field.alone.keys() - given.keys()
        return {key: _calculate(field.alone[key], known) for key in missing}

    def _check_piece(self, address: SerialAddress, values: Mapping[str, Scalar]) -> None:
        """Raise NoRequest where the answer will not hold this piece."""
        name, _dot, piece = address.field.partition(".")
        field = self.recipe.fields.get(name)
        if field is None or field.number_from is None or field.number_to is None:
            return
        first = _calculate(field.number_from, values)
        if not piece.isdecimal():
            raise NoRequest(
                _("write which one, such as {name}.{first}").format(
                    name=name, first=100 if first is None else first
                )
            )
        last = _calculate(field.number_to, values)
        if isinstance(first, int) and isinstance(last, int) and not first <= int(piece) <= last:
            brought = (
                _("{name}.{first} to {name}.{last}").format(name=name, first=first, last=last)
                if first <= last
                else _("too little for one")
            )
            raise NoRequest(
                _(
                    "{field} is not asked for: these parameters bring {brought}, so change "
                    "them or leave {alone} out"
                ).format(field=address.field, brought=brought, alone=_(" and ").join(field.alone))
            )

    @staticmethod
    def _preset(address: SerialAddress, request: Request) -> Mapping[str, Scalar]:
        """Give the parameters that a request has for this field alone."""
        name = address.field.split(".", 1)[0]
        return request.brings.get(address.field) or request.brings.get(name) or {}

    def _none_fits(self, address: SerialAddress) -> str:
        names = [request.name for request in self.recipe.requests]
        if address.request is not None and address.request not in names:
            hint = did_you_mean(address.request, names)
            return _("there is no request {request!r}; {hint}").format(
                request=address.request, hint=hint
            )
        return _("no request brings the field {field!r}").format(field=address.field)

    def _that_bring(self, address: SerialAddress) -> Sequence[Request]:
        name = address.field.split(".", 1)[0]
        return [
            request
            for request in self.recipe.requests
            if address.request in {None, request.name}
            and (not request.brings or name in request.brings or address.field in request.brings)
        ]

    def request(self, question: Question) -> Request:
        """Give the request of a question."""
        return self.recipe.request(question.request)

    def data(self, question: Question) -> bytes:
        """Give what is sent.

        Raises:
            NoRequest: It cannot be built, or is no question.
        """
        request = self.request(question)
        return build(self.recipe, request.send, calculated(request, dict(question.parameters)))

    def can_tell_apart(self, owed: Question, asked: Question) -> bool:
        """Tell whether a late answer to one question cannot pass for the answer to another.

        It cannot where the recipe compares answers directly with a parameter in which both differ.
        To the same question it always could.
        """
        expect = self.request(asked).expect
        if expect is None:
            return False
        one, other = dict(owed.parameters), dict(asked.parameters)
        differing = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
        return bool(differing & self._compared(asked, expect))

    def _compared(self, asked: Question, expect: str) -> set[str]:
        """Give the parameters that an answer repeats, also by way of `let`.

        Only a direct comparison counts: with a length alone, answers to two kinds of requests
        could be equally long.
        """
        names = set(expression(expect).equated)
        for name, text in reversed(list(self.request(asked).let.items())):
            if name in names:
                names |= expression(text).names
        return names


def _question(name: str, values: Mapping[str, Scalar]) -> Question:
    return Question(name, tuple(sorted(values.items())))


def _calculate(text: str, values: Mapping[str, Scalar]) -> Scalar:
    try:
        return expression(text)(values)
    except ExpressionFailed as error:
        raise NoRequest(_("a parameter is missing: {error}").format(error=error)) from error
