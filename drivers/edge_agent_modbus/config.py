"""How to reach Modbus devices: one serial line or one TCP endpoint."""

import os
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from edge_agent.driver import Described, Duration, Settings
from edge_agent.language import _
from edge_agent_modbus.conversion import Whole

TCP_PORT = 502  # registered with IANA: mbap
DEFAULT_TCP_TIMEOUT = 1.0

Transport = Literal["tcp", "rtu", "ascii", "rtu-over-tcp", "ascii-over-tcp"]

_OVER_TCP = ("tcp", "rtu-over-tcp", "ascii-over-tcp")
_SERIAL_ONLY = ("baud", "parity", "stop_bits", "data_bits", "rs485")
_LONGEST_DELAY = 1.0


def _not_truth(value: object) -> object:
    """Refuse `true`, which Python takes for 1."""
    if isinstance(value, bool):
        message = _("must be a number, not {value}: write it in digits")
        raise ValueError(message.format(value=str(value).lower()))  # noqa: TRY004 - pydantic's way
    return value


UnitPauses = dict[Annotated[int, Field(ge=0, le=255)], Annotated[Duration, Field(le=10)]]

Flag = Annotated[bool, Field(strict=True)]


class Rs485(Described):
    """How the kernel's serial driver turns an RS-485 transceiver round, with the line RTS.

    For ports of the board (UARTs) whose driver can do it; USB adapters turn round by themselves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rts_when_sending: Literal["high", "low"] = "high"
    """Level of RTS while sending; the other one is set while listening."""
    delay_before: Annotated[Duration, Field(le=_LONGEST_DELAY)] = 0.0
    """From RTS to the first bit; whole milliseconds."""
    delay_after: Annotated[Duration, Field(le=_LONGEST_DELAY)] = 0.0
    """From the last bit to RTS; whole milliseconds."""
    hear_own: Flag = False
    """Listen while sending; the echo is recognised and dropped."""


class ModbusSettings(Settings):
    """One link to Modbus devices. A serial line needs port and baud, TCP needs host."""

    transport: Transport = "tcp"
    """tcp, rtu or ascii (serial lines), rtu-over-tcp or ascii-over-tcp (through a gateway)."""
    host: Annotated[str, Field(min_length=1)] | None = None
    """Name or IP address of the device or gateway; TCP only."""
    port: Annotated[Whole, Field(ge=1, le=65535)] | Annotated[str, Field(min_length=1)] | None = (
        None
    )
    """TCP port (502 if left out), or the path of the serial port."""
    baud: Annotated[Whole, Field(ge=50, le=4_000_000)] | None = None
    """Bits per second of the serial line."""
    parity: Literal["none", "even", "odd"] = "none"
    """Parity bit of the serial line; the specification means even, most devices leave the works
    with none."""
    stop_bits: Annotated[Literal[1, 2], BeforeValidator(_not_truth)] = 1
    """Stop bits of the serial line."""
    data_bits: Literal[7, 8] | None = None
    """Data bits of the serial line: 8, or 7 for ascii, if left out."""
    rs485: Rs485 | None = None
    """Let the kernel's driver turn the transceiver round; most lines need nothing here."""
    connection: Literal["persistent", "per_cycle"] = "persistent"
    """per_cycle opens for each poll of a device and closes behind it, so that other programs can
    use a device that serves one client only."""
    listen: Flag = False
    """Send nothing and take the values from what another master asks on the same line; only with
    rtu and rtu-over-tcp."""
    timeout: Annotated[Duration, Field(gt=0, le=60)] | None = None
    """How long a device may take to answer; 1 s on TCP and, on a serial line, three times what the
    longest frame takes and 0.1 s, at least 0.3 s, if left out. With `listen`, how old what was
    heard may be; 10 s if left out."""
    late_window: Annotated[Duration, Field(le=60)] | None = None
    """How long the line stays unused after a timeout; as long as the timeout if left out."""
    pause: Annotated[Duration, Field(le=10)] = 0.0
    """Silence before each request; some devices need 20 to 100 ms to free the line."""
    unit_pauses: Annotated[UnitPauses, Field(default_factory=dict)]
    """The same for single units, such as `{7: 50ms}`, where it has to be longer."""
    pause_after_open: Annotated[Duration, Field(le=60)] = 0.0
    """Silence after the link was opened, for converters that need a moment."""
    max_registers: Annotated[Whole, Field(ge=1, le=125)] | None = None
    """Most registers of one request; 125 on TCP, else 60. What a device refuses is learnt."""
    max_bits: Annotated[Whole, Field(ge=1, le=2000)] = 512
    """Most coils or discrete inputs of one request."""
    max_gap: Annotated[Whole, Field(ge=0, le=124)] | None = None
    """Registers that nobody wants but that are read along to save a request; chosen from the
    protocol's overhead if left out. 0 for devices that must not be asked for anything else."""
    one_request_per_point: Flag = False
    """Ask for each point by itself, for devices that answer nothing else."""
    coils_from_zero: Flag = False
    """Begin the first request for coils at offset 0, for devices that want it so."""
    transaction_id: Literal["match", "ignore"] = "match"
    """ignore: for TCP gateways that do not send the transaction number back."""
    answer_unit: Literal["match", "any"] = "match"
    """any: for TCP gateways that answer as unit 0 or 255 whichever unit was asked."""
    answer_length: Literal["match", "ignore"] = "match"
    """ignore: for TCP gateways whose header tells a wrong length; the answer's own byte count then
    tells where it ends."""

    @model_validator(mode="before")
    @classmethod
    def _explain_port(cls, data: Any) -> Any:
        """Say what kind of port is missing before the types complain about each alternative."""
        if not isinstance(data, dict):
            return data
        transport, port = data.get("transport", "tcp"), data.get("port")
        if isinstance(port, str) and "\0" in port:
            raise ValueError(_("port holds a zero character: write a path such as /dev/ttyUSB0"))
        if transport in {"rtu", "ascii"} and isinstance(port, int):
            raise ValueError(
                _(
                    "port {port} is a TCP port, but transport {transport} is a serial line: "
                    "write the path of the serial port, or transport: {transport}-over-tcp"
                ).format(port=port, transport=transport)
            )
        if transport in _OVER_TCP and isinstance(port, str):
            raise ValueError(
                _(
                    "port {port!r} is not a TCP port: write a number such as {tcp_port}, or "
                    "transport: rtu if it is a serial line"
                ).format(port=port, tcp_port=TCP_PORT)
            )
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> "ModbusSettings":
        if self.is_serial:
            self._check_serial()
        else:
            self._check_tcp()
        if self.listen:
            self._check_listening()
        return self

    def _check_serial(self) -> None:
        if self.port is None:
            raise ValueError(
                _(
                    "transport {transport} needs `port`, the path of the serial port, such "
                    "as /dev/serial/by-id/usb-..."
                ).format(transport=self.transport)
            )
        if self.baud is None:
            raise ValueError(
                _("transport {transport} needs `baud`, such as 9600").format(
                    transport=self.transport
                )
            )
        if self.host is not None:
            raise ValueError(
                _(
                    "transport {transport} is a serial line and has no host: leave `host` "
                    "out, or write transport: {transport}-over-tcp"
                ).format(transport=self.transport)
            )
        if self.transport == "rtu" and self.data_bits == 7:
            raise ValueError(_("transport rtu needs 8 data bits: leave `data_bits` out"))

    def _check_tcp(self) -> None:
        if self.host is None:
            raise ValueError(
                _("transport {transport} needs `host`, the device's name or IP address").format(
                    transport=self.transport
                )
            )
        for key in _SERIAL_ONLY:
            if key in self.model_fields_set:
                raise ValueError(
                    _(
                        "transport {transport} has no {key}, that belongs to a serial line: "
                        "leave it out, or write transport: rtu"
                    ).format(transport=self.transport, key=key)
                )

    def _check_listening(self) -> None:
        if self.transport not in {"rtu", "rtu-over-tcp"}:
            raise ValueError(
                _(
                    "transport {transport} cannot be listened to: leave `listen` out, or "
                    "write transport: rtu, which is what a serial line between a master and "
                    "devices carries"
                ).format(transport=self.transport)
            )
        if self.connection == "per_cycle":
            raise ValueError(_("who listens must not hang up: leave `connection` or `listen` out"))

    @property
    def is_serial(self) -> bool:
        """Tell whether the link is a serial port of this machine."""
        return self.transport in {"rtu", "ascii"}

    @property
    def tcp_port(self) -> int:
        """The port to connect to, if the link is TCP."""
        return self.port if isinstance(self.port, int) else TCP_PORT

    @property
    def character_bits(self) -> int:
        """Data bits of one character."""
        return self.data_bits or (7 if self.transport == "ascii" else 8)

    @property
    def bits_per_character(self) -> int:
        """Data bits with start, parity and stop bits, as they pass on a serial line."""
        return 1 + self.character_bits + (self.parity != "none") + self.stop_bits

    def line(self) -> str:
        if self.is_serial:
            return os.path.realpath(str(self.port))  # two names of one port are one line
        return f"{str(self.host).lower()}:{self.tcp_port}"

    def peers(self) -> tuple[str, ...]:
        return () if self.host is None else (self.host,)
