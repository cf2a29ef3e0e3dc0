"""Everything that can be wrong with a server, its certificate, a user or a node. Pure.

Each has a code, a sentence and a next action; `{url}`, `{detail}`, `{own}` (the thumbprint of this
gateway's certificate) and `{trust}` (a command) are filled in by `faults` when it happens.
"""

from enum import Enum

from edge_agent.driver import Diagnosis
from edge_agent.language import later


class Fault(Enum):
    """Everything that can be told apart."""

    # --- the way to the server
    HOST = Diagnosis(
        "E-OPCUA-HOST",
        later("the host name in {url} is unknown ({detail})"),
        later("check it, or the name server"),
    )
    REFUSED = Diagnosis(
        "E-OPCUA-REFUSED",
        later("nothing listens at {url}"),
        later("check the port, and whether the OPC UA server is running"),
    )
    UNREACHABLE = Diagnosis(
        "E-OPCUA-UNREACHABLE",
        later("{url} cannot be reached ({detail})"),
        later("check cable, address and route"),
    )
    TIMEOUT = Diagnosis(
        "E-OPCUA-TIMEOUT",
        later("the OPC UA server {url} did not answer within {detail}"),
        later("check that it is running and reachable, or raise timeout"),
    )
    CLOSED = Diagnosis(
        "E-OPCUA-CLOSED",
        later("{url} closed the connection before a session was open"),
        later("check that an OPC UA server listens on this port"),
    )
    PROTOCOL = Diagnosis(
        "E-OPCUA-PROTOCOL",
        later("{url} does not answer like an OPC UA server ({detail})"),
        later("check that the port is the server's opc.tcp port"),
    )
    URL = Diagnosis(
        "E-OPCUA-URL",
        later("the OPC UA server {url} has no endpoint of this url ({detail})"),
        later("check what follows the port in it: `edge-agent trust` lists the server's endpoints"),
    )
    NOT_READY = Diagnosis(
        "E-OPCUA-NOT-READY",
        later("the OPC UA server {url} is shut down or just starting ({detail})"),
        later("it will be tried again"),
    )
    FULL = Diagnosis(
        "E-OPCUA-FULL",
        later("the OPC UA server {url} has no session left for this agent ({detail})"),
        later(
            "close other clients, raise the server's limit, or wait until sessions "
            "left behind time out"
        ),
    )
    REFUSED_SESSION = Diagnosis(
        "E-OPCUA-SESSION",
        later("the OPC UA server {url} refused the session ({detail})"),
        later("look into the server's log"),
    )
    ENDED = Diagnosis(
        "E-OPCUA-ENDED",
        later("the session with the OPC UA server {url} is over ({detail})"),
        later("a new one will be opened"),
    )

    # --- security
    WANTS_ENCRYPTION = Diagnosis(
        "E-OPCUA-ENCRYPTION",
        later("the OPC UA server {url} accepts only encrypted connections ({detail})"),
        later("remove `security: none`; its certificate is then trusted with `{trust}`"),
    )
    NO_ENDPOINT = Diagnosis(
        "E-OPCUA-POLICY",
        later("the OPC UA server {url} offers no endpoint as secure as this file wants; {detail}"),
        later(
            "switch on Basic256Sha256 with SignAndEncrypt on the server; else write "
            "`security: sign`, `legacy: true` or `security: none` if this network "
            "may read what the server says"
        ),
    )
    OTHER_POLICIES = Diagnosis(
        "E-OPCUA-OTHER-POLICY",
        later(
            "the OPC UA server {url} does not offer the `policy` that this file asks for; {detail}"
        ),
        later("write one of these, or leave `policy` out: then the strongest is taken"),
    )
    DOWNGRADE = Diagnosis(
        "E-OPCUA-DOWNGRADE",
        later(
            "the OPC UA server {url} names other endpoints in its session than before it ({detail})"
        ),
        later(
            "somebody may have changed the answer on its way: look for a foreign "
            "device in this network, and tell the server's maker if there is none"
        ),
    )
    NO_CERTIFICATE = Diagnosis(
        "E-OPCUA-CERT-INVALID",
        later("the OPC UA server {url} shows no usable certificate ({detail})"),
        later("have the server make a new one (RSA, 2048 bits or more)"),
    )
    UNTRUSTED = Diagnosis(
        "E-OPCUA-CERT-UNTRUSTED",
        later("the certificate of {url} is not trusted yet; its thumbprint (SHA-1) is {detail}"),
        later("compare it with what the server's own screen shows, then run `{trust}`"),
    )
    CHANGED = Diagnosis(
        "E-OPCUA-CERT-CHANGED",
        later(
            "the certificate of {url} is another one than was trusted; its "
            "thumbprint (SHA-1) is {detail}, and nothing is read"
        ),
        later(
            "ask who renewed the server's certificate: only if somebody did, run "
            "`{trust}`; else somebody may stand between this gateway and the server"
        ),
    )
    EXPIRED = Diagnosis(
        "E-OPCUA-CERT-EXPIRED",
        later("the certificate of {url} ended on {detail}"),
        later(
            "have the server make a new one, then run `{trust}`; if the date is "
            "still to come, set this gateway's clock"
        ),
    )
    NOT_YET_VALID = Diagnosis(
        "E-OPCUA-CLOCK",
        later(
            "the certificate of {url} is valid from {detail}, which is still to come "
            "by this gateway's clock"
        ),
        later("most likely the clock is not set yet: it is tried again until it is"),
    )
    CLOCK = Diagnosis(
        "E-OPCUA-CLOCK",
        later(
            "this gateway's clock is not set ({detail}), so that it cannot make its "
            "certificate for {url} yet"
        ),
        later("it is tried again until the clock is set: check the time server (NTP)"),
    )
    WRONG_HOST = Diagnosis(
        "E-OPCUA-CERT-HOST",
        later("the certificate of {url} was made for another host: {detail}"),
        later(
            "use one of these names in `url`; or, if this really is the server, "
            "write one of them as `server_name`"
        ),
    )
    WRONG_URI = Diagnosis(
        "E-OPCUA-CERT-URI",
        later(
            "the certificate of {url} belongs to another application than the server "
            "says it is: {detail}"
        ),
        later("have the server make a new certificate"),
    )
    REVOKED = Diagnosis(
        "E-OPCUA-CERT-REVOKED",
        later("the certificate of {url} was revoked by its authority ({detail})"),
        later("have the server get a new one"),
    )
    CLIENT_UNTRUSTED = Diagnosis(
        "E-OPCUA-CLIENT-UNTRUSTED",
        later("the server {url} does not trust this gateway yet ({detail})"),
        later(
            "on the server move certificate {own} from rejected to trusted, and "
            "restart the server if it still refuses"
        ),
    )
    CLIENT_REJECTED = Diagnosis(
        "E-OPCUA-CLIENT-CERT",
        later("the server {url} does not accept this gateway's certificate {own} ({detail})"),
        later("check the server's clock and its log; `{trust}` shows the certificate"),
    )
    PKI = Diagnosis(
        "E-OPCUA-PKI",
        later("the certificates for {url} cannot be read or kept ({detail})"),
        later("let the agent's user own the folder `pki`, or run the command as root"),
    )

    # --- users
    ANONYMOUS = Diagnosis(
        "E-OPCUA-ANONYMOUS",
        later("the OPC UA server {url} does not admit anonymous readers ({detail})"),
        later("write `username` and `password_file`, or allow anonymous read access on the server"),
    )
    USER = Diagnosis(
        "E-OPCUA-USER",
        later("the OPC UA server {url} does not admit this user ({detail})"),
        later(
            "check `username` and what is in `password_file` (or the user's "
            "certificate), and the account on the server"
        ),
    )
    NO_TOKEN = Diagnosis(
        "E-OPCUA-USER-KIND",
        later("the OPC UA server {url} takes no user of this kind; it takes: {detail}"),
        later("use one of these, or allow this kind on the server"),
    )
    CLEAR_PASSWORD = Diagnosis(
        "E-OPCUA-PASSWORD-CLEAR",
        later(
            "the OPC UA server {url} wants the password in a form that others could "
            "read ({detail}), and it was not sent"
        ),
        later(
            "remove `security: none` (or `security: sign`), or have the server "
            "encrypt passwords (security policy of the user token)"
        ),
    )
    SECRET_FILE = Diagnosis(
        "E-OPCUA-SECRET-FILE",
        later("what {url} wants to know of a user cannot be read: {detail}"),
        later(
            "make it a file that the agent's user alone can read: chmod 600, and chown to that user"
        ),
    )

    # --- nodes
    UNKNOWN_NODE = Diagnosis(
        "E-OPCUA-NODE",
        later("The server does not know some of the nodes"),
        "compare their ids with the server's: `edge-agent test` names them, and `edge-agent "
        "browse` lists what the server has",
    )
    UNKNOWN_NAMESPACE = Diagnosis(
        "E-OPCUA-NAMESPACE",
        later("The server does not have the namespace of some nodes"),
        later("compare `namespace` with the server's: `edge-agent test` shows which ones it has"),
    )
    NO_ACCESS = Diagnosis(
        "E-OPCUA-ACCESS",
        later("The server does not let this agent read some of the nodes"),
        later("give its user read access on the server, or leave these nodes out"),
    )
    UNREADABLE_TYPE = Diagnosis(
        "E-OPCUA-TYPE",
        later("Some nodes hold a type of value that cannot be read"),
        later(
            "`edge-agent test` names them: use a node below it that holds a plain "
            "value, or leave it out"
        ),
    )
    EXPIRES = Diagnosis(
        "E-OPCUA-CERT-EXPIRES",
        later("The server's certificate ends in less than 60 days; after that nothing can be read"),
        later(
            "have the server make a new one in time, then run `edge-agent trust`, "
            "which also shows the date"
        ),
    )
    OWN_EXPIRES = Diagnosis(
        "E-OPCUA-OWN-CERT-EXPIRES",
        later(
            "This gateway's certificate ends in less than 60 days; the server will then refuse it"
        ),
        later(
            "move the folder `own` out of `pki` at a time of your choice: a new one "
            "is made, and has to be trusted on the server"
        ),
    )
