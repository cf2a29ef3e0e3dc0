"""Finds English in what is meant to be Chinese: words that are no names, codes or values."""

import re

# What is the same in every language: names of ours, of protocols, of makers, of files and commands.
NAMES = """
    edge agent gw modbus rtu tcp ascii udp opc ua mqtt mqtts ws wss tls json yaml csv xlsx html
    utf gb gbk usb rs gnd rx tx plc id ip dns wi fi ca sha rsa pem der url ucum cel kw bar mm
    kwh python pip node uaexpert kepware tia portal simatic siemens mettler toledo sartorius
    omron eastron acrel dl iec ansi bacnet neuron sub systemd systemctl journalctl sudo udev
    modemmanager timedatectl timesyncd root true false yes no nor on off stdout stderr info
    debug warning error ctrl enter print send help config file text name port number target
    device dir stick cet utc kib mib gib mb kb ms demo setup check test run status watch
    restrict doctor report support bundle buffer export import verify drivers profiles browse
    probe read recipe scan trust site list show learn apply back versions diff new coil discrete
    input holding int uint float bool string bcd mod abcd cdab badc dcba none even odd crc fc en
    zh lang version key value first second press oil temperature factory hall unit baud parity
    scale offset type order table host transport policy security username password every points
    profile deadband connections devices address settings user md etc dev var lib media by
    serial ttyusb simulated opcua amqtt asyncua rich pymodbus scpi sbi ppi mbus aibus qos psm
    ftdi latency timer start stop daemon reload enable now metrics http https time encrypt sign
    format generic code haas mitsubishi mitutoyo mt nmea panasonic yaohua keyence fanuc cas main
    master readme recipes pattern mode stream poll session request effect
"""
ALLOWED = frozenset(NAMES.split())

# What is shown as it is: what stands in quotes, options, codes, URLs, variables, parts in braces,
# paths, words with a dot, colon, slash, equals sign or underscore, words in capitals, and those
# with a digit.
_AS_IT_IS = re.compile(
    r"""
      `[^`]*` | '[^'\n]*' | "[^"\n]*"
    | --?[a-z][\w-]*(?:[= ][A-Z_/]+)? | \[-[^\]]*\]
    | \b[DEM]-[A-Z-]+ | \w+://\S+ | \$\w+ | \{[^}\s]*\}
    | (?<![\w])[./~]?/[\w./*-]+ | \b[\w-]+(?:[.:/=_][\w*-]+)+
    | \b[A-Z][A-Z0-9_]+\b | \b\w*\d\w*\b
    """,
    re.VERBOSE,
)


def english_in(text: str, *also: str) -> list[str]:
    """Give the lines that hold an English word that is none of the names, with these words.

    Args:
        text: What somebody reads.
        also: Names that this text may have besides, such as those of the devices in it.
    """
    names = ALLOWED | {word.lower() for one in also for word in re.findall(r"[A-Za-z]+", one)}
    found = []
    for line in text.splitlines():
        words = re.findall(r"[A-Za-z]{2,}", _AS_IT_IS.sub(" ", line))
        strange = [word for word in words if word.lower() not in names]
        if strange:
            found.append(f"{' '.join(strange)}: {line.strip()}")
    return found
