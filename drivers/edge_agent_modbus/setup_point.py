"""What the wizard asks about a value of a Modbus device, in the words of its register list."""

import re

from edge_agent.commissioning import (
    Choice,
    Manner,
    Question,
    Steps,
    Values,
    _,
    ask,
    checked,
    menu,
    whole,
)
from edge_agent_modbus.address import ModbusAddress

SHORT_NUMBER = re.compile(r"[0-9]{1,4}")
WIDE = {"int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8}
ORDERS = {
    4: ("ABCD", "CDAB", "BADC", "DCBA"),
    8: ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"),
}
NOT_NUMBERS = {"bool", "string"}
LONGEST_TEXT = 250  # characters in 125 registers, the most in one answer (V1.1b3, 6.3)


def register(unit: int) -> Manner:
    """Ask for values of this unit one by one."""
    return Manner(
        driver="modbus",
        device_address={"unit": unit},
        address=lambda at: modbus_point(at, {"unit": unit}),
        forms=_forms,
        is_number=lambda address: address.get("type") not in NOT_NUMBERS and "bit" not in address,
        scaled=True,
    )


def modbus_point(id: str, device_address: Values) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask what a value is and where it lives; give its address as the file has it."""
    address: Values = {"type": (yield from ask(_type(id)))}
    if address["type"] == "string":
        address["length"] = yield from ask(_length(id))
    at = yield from _at(id, device_address, address)
    known = {**device_address, **address, "at": at}
    if address["type"] == "bool" and not _holds_bits(known):
        address = {"bit": (yield from ask(_bit(id)))}
    return {"at": at, **address}


def _forms(address: Values) -> dict[str, Values]:
    """Give the orders in which a value's bytes may come; just one for values of one register."""
    usual, *others = ORDERS.get(WIDE.get(address.get("type", ""), 0), ("",))
    return {usual: address} | {order: {**address, "order": order} for order in others}


def _type(id: str) -> Question[str]:  # noqa: A002
    return menu(
        f"{id}.type",
        _("What kind of value is it?"),
        [
            Choice("uint16", _("whole number              (16 bit, UINT)")),
            Choice("int16", _("whole number, with minus  (16 bit, INT)")),
            Choice("float32", _("decimal number            (32 bit, FLOAT)")),
            Choice("uint32", _("big number                (32 bit, UDINT)")),
            Choice("int32", _("big number, with minus    (32 bit, DINT)")),
            Choice("bool", _("on or off                 (1 bit)")),
            Choice("string", _("text")),
            Choice("uint64", _("very big number           (64 bit)")),
            Choice("int64", _("very big, with minus      (64 bit)")),
            Choice("float64", _("long decimal number       (64 bit, DOUBLE)")),
        ],
        default="uint16",
        why=_("The manual's register list has a column for it, called type, format or length."),
    )


def _at(id: str, device_address: Values, address: Values) -> Steps[str]:  # noqa: A002
    """Ask for the address in the manual's words; a short number is asked about, not guessed."""

    def parse(answer: str) -> str:
        if not SHORT_NUMBER.fullmatch(answer):
            _check_address({**device_address, **address, "at": answer})
        return answer

    written = yield from ask(
        Question(
            id=f"{id}.address",
            text=_("Its address, as the manual writes it?"),
            parse=parse,
            example="40108",
            why=_("Examples: 40108, 30001, 400108, 0x006B, holding:107, input:0, coil:3."),
        )
    )
    if not SHORT_NUMBER.fullmatch(written):
        return written
    meant = yield from ask(_meant(id, int(written), _tables(address["type"])))
    return meant


def _check_address(values: Values) -> None:
    try:
        checked(ModbusAddress, values)
    except ValueError:
        if values["type"] != "bool":
            raise
        # One bit of a register: which bit is asked next, so here any will do.
        whole_register = {key: value for key, value in values.items() if key != "type"}
        checked(ModbusAddress, {**whole_register, "bit": 0})


def _holds_bits(values: Values) -> bool:
    try:
        checked(ModbusAddress, {**values, "bit": 0})
    except ValueError:
        return True  # a coil or a discrete input has no bits to choose from
    return False


def _tables(kind: str) -> tuple[str, ...]:
    return ("coil", "discrete", "holding", "input") if kind == "bool" else ("holding", "input")


def _meant(id: str, number: int, tables: tuple[str, ...]) -> Question[str]:  # noqa: A002
    names = {
        "coil": _("coils"),
        "discrete": _("discrete inputs"),
        "holding": _("holding registers"),
        "input": _("input registers"),
    }
    choices = []
    for table in tables:
        text = _("{table}, the list starts with 0").format(table=names[table])
        choices.append(Choice(f"{table}:{number}", text))
        if number:
            text = _("{table}, the list starts with 1").format(table=names[table])
            choices.append(Choice(f"{table}:{number - 1}", text))
    return menu(
        f"{id}.meant",
        _("{number} alone can mean different places. Which list is it in?").format(number=number),
        choices,
        default=choices[0].word,
        why=_("If unsure take the first: the value is shown next, and you can come back."),
    )


def _length(id: str) -> Question[int]:  # noqa: A002
    return Question(
        id=f"{id}.length",
        text=_("How many characters has the text?"),
        parse=whole(1, LONGEST_TEXT),
        default="16",
        why=_("Each register holds two characters."),
    )


def _bit(id: str) -> Question[int]:  # noqa: A002
    return Question(
        id=f"{id}.bit",
        text=_("Which bit of the register, 0 to 15?"),
        parse=whole(0, 15),
        default="0",
        why=_("Bit 0 is the lowest, worth 1; bit 15 is the highest."),
    )
