"""`edge-agent trust`: shows the certificate of an OPC UA server, and trusts it when told to."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edge_agent.command import (
    DEVICE_UNREADABLE,
    FAULT,
    OK,
    USAGE,
    CommandFailed,
    configured,
    connections_of,
    print_json,
    printable,
)
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_opcua.certificates import Certificate
    from edge_agent_opcua.config import OpcUaSettings
    from edge_agent_opcua.discovery import Application
    from edge_agent_opcua.endpoints import Endpoint
    from edge_agent_opcua.identity import Identity
    from edge_agent_opcua.survey import Survey

    Said = tuple[list[Endpoint], list[Application]]

SUMMARY = "show the certificate of an OPC UA server, and trust it"
EXAMPLE = "edge-agent trust opc.tcp://10.0.0.9:4840"
NOWHERE = "opc.tcp://localhost:4840"
"""Stands for no server, where only the folder of certificates is wanted."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help=_(
            "server, with the settings of its connection in the configuration (-c), "
            "if it has one; without a server, what is kept"
        ),
    )
    parser.add_argument(
        "--connection", metavar="NAME", help=_("take url and settings from the configuration (-c)")
    )
    parser.add_argument(
        "--accept",
        metavar="THUMBPRINT",
        help=_("trust the certificate with this thumbprint (SHA-1 or SHA-256)"),
    )
    parser.add_argument(
        "--server-name", metavar="NAME", help=_("what the server's certificate calls its host")
    )
    parser.add_argument(
        "--pki", metavar="FOLDER", help=_("folder of certificates, as `pki` in the configuration")
    )
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help=_("how long to wait (5)")
    )


def run(options: argparse.Namespace) -> int:
    """Ask the server, show what it says, and trust its certificate if told to."""
    import asyncio

    from edge_agent.driver import ConnectionLost
    from edge_agent_opcua import discovery, folder

    url, settings = _server(options)
    try:
        said = asyncio.run(discovery.explore(url, options.timeout)) if url else None
    except ConnectionLost as error:
        raise CommandFailed(str(error), DEVICE_UNREADABLE) from error
    try:
        return _Desk(settings, url, said).serve(options)
    except OSError as error:
        advice = "run this as root, or name another folder with --pki"
        raise CommandFailed(f"{folder.reason(error)}: {advice}", FAULT) from error


def _server(options: argparse.Namespace) -> "tuple[str | None, OpcUaSettings]":
    """Give the server that is asked, if any, and how the agent would be set to read it."""
    from edge_agent_opcua.config import OpcUaSettings

    if options.url and options.connection:
        raise CommandFailed(
            _("name a server: either its URL, or a --connection of the file"), USAGE
        )
    if options.connection:
        settings = configured(options.config, options.connection, OpcUaSettings)
        url: str | None = settings.url
    elif options.url:
        url = _checked(options.url)
        settings = _connected(options.config, url) or OpcUaSettings(url=url)
    else:
        url, settings = None, OpcUaSettings(url=NOWHERE)
    given = {"pki": options.pki, "server_name": options.server_name}
    return url, settings.model_copy(update={key: one for key, one in given.items() if one})


def _connected(config: Path, url: str) -> "OpcUaSettings | None":
    """Find the settings of the connection to this server, where there is one already."""
    from edge_agent_opcua.config import OpcUaSettings

    if not config.exists():
        return None
    try:
        there = connections_of(config, OpcUaSettings).values()
    except CommandFailed as error:
        print(
            _("judged without the settings of the configuration: {error}").format(error=error),
            file=sys.stderr,
        )
        return None
    return next((one for one in there if url in (one.url, *one.standby_urls)), None)


def _checked(url: str) -> str:
    from pydantic import ValidationError

    from edge_agent_opcua.config import OpcUaSettings

    try:
        return OpcUaSettings(url=url).url
    except ValidationError as error:
        raise CommandFailed(error.errors()[0]["msg"].removeprefix("Value error, "), USAGE) from (
            error
        )


class _Desk:
    """Where one certificate is looked at and decided about."""

    def __init__(self, settings: "OpcUaSettings", url: str | None, said: "Said | None") -> None:
        from edge_agent_opcua.trust import TrustStore

        self._settings, self._url, self._said = settings, url, said
        self._pki = Path(settings.pki)
        self._store = TrustStore(self._pki)

    def serve(self, options: argparse.Namespace) -> int:
        """Show, decide, and show what became of it."""
        own = self._identity()
        if options.json:
            replaced = self._accept(options.accept)[1] if options.accept else []
            print_json(self._document(own, replaced))
            return OK
        found = self._survey()
        from edge_agent_opcua.trust_page import page

        for line in page(found, own, self._store, self._pki):
            print(printable(line))  # a server may write what it likes into its certificate
        wanted = options.accept or self._answer(found)
        if wanted:
            certificate, replaced = self._accept(wanted)
            print(
                _("\ntrusted from now on: {subject}, SHA-1 {sha1}").format(
                    subject=printable(certificate.subject), sha1=certificate.sha1
                )
            )
            for each in replaced:
                print(
                    _("trusted no longer: {subject}, SHA-1 {sha1}").format(
                        subject=printable(each.subject), sha1=each.sha1
                    )
                )
        return OK

    def _survey(self) -> "Survey | None":
        from edge_agent_opcua.survey import survey

        if self._url is None or self._said is None:
            return None
        return survey(self._url, self._settings, *self._said, self._store, datetime.now(UTC))

    def _identity(self) -> "Identity":
        from edge_agent_opcua.identity import ClockNotSet, address_towards, own_identity

        target = urlsplit(self._url or "")
        ours = address_towards(target.hostname, target.port or 0) if target.hostname else None
        try:
            return own_identity(self._pki, datetime.now(UTC), [ours] if ours else [])
        except ClockNotSet as error:
            raise CommandFailed(
                _("set the clock of this gateway first: {error}").format(error=error), FAULT
            ) from error
        except ValueError as error:
            raise CommandFailed(str(error), FAULT) from error

    def _answer(self, found: "Survey | None") -> str | None:
        """Ask whoever sits at the terminal; a script has to name the thumbprint."""
        if found is None or found.state not in {"unknown", "changed"}:
            return None
        shown = found.chain[0].sha1
        if not sys.stdin.isatty():
            print(_("\nto trust it: add  --accept {shown}").format(shown=shown))
            return None
        print(_("\nCompare the thumbprint with what the server's own screen or software shows."))
        try:
            answer = input(_("Trust this server from now on? Type yes: ")).strip()
        except EOFError:
            return None
        return shown if answer == "yes" else None

    def _accept(self, thumbprint: str) -> "tuple[Certificate, list[Certificate]]":
        from edge_agent_opcua.trust import mark_of

        wanted = "".join(each for each in thumbprint.upper() if each.isalnum())
        found = self._survey()
        mark = mark_of(self._url) if self._url else ""
        shown = [(each, mark) for each in found.chain] if found else []
        kept = [(each.certificate, each.mark) for each in self._store.rejected]
        for certificate, place in (*shown, *kept):
            if wanted in {certificate.sha1, certificate.sha256}:
                return certificate, self._store.accept(certificate, place)
        shows = (
            _("; the server shows {sha1}").format(sha1=found.chain[0].sha1)
            if found and found.chain
            else ""
        )
        raise CommandFailed(
            _("no certificate has the thumbprint {thumbprint}{shows}").format(
                thumbprint=thumbprint, shows=shows
            ),
            USAGE,
        )

    def _document(self, own: "Identity", replaced: "list[Certificate]") -> dict[str, Any]:
        from edge_agent_opcua.survey import as_document, described, listed

        found = self._survey()
        return {
            "server": as_document(found) if found else None,
            "own": described(own.certificate, self._pki / "own" / "certificate.der"),
            "trusted": listed(self._store.trusted),
            "rejected": listed(self._store.rejected),
            "replaced": [described(each) for each in replaced],
        }
