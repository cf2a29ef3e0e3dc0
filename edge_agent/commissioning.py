"""What a driver's part of the setup wizard may use: the words of questions, and the wizard's own.

See `edge_agent.setup.kind` for what a driver brings, and `edge_agent.setup.question` for how a
conversation is written.
"""

from edge_agent.command import DEVICE_UNREADABLE
from edge_agent.language import _, count
from edge_agent.layout import people_say
from edge_agent.setup.draft import Values, checked
from edge_agent.setup.kind import Draft, Home, Kind, Link
from edge_agent.setup.listing import list_steps
from edge_agent.setup.live import complaint, read_points
from edge_agent.setup.meaning import new_name, to_factor, to_host, to_label, to_name, to_unit, whole
from edge_agent.setup.points import Manner, points, unit_question
from edge_agent.setup.portcheck import port_problem
from edge_agent.setup.profile_choice import profile_of, profile_title, profile_wording
from edge_agent.setup.profiling import Subject, profile_steps, same_again
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Progress,
    Question,
    Rewind,
    Step,
    Steps,
    ask,
    look,
    menu,
    moment,
    one_of,
    optional,
    valid,
    what_now,
)
from edge_agent.setup.secret import Conceal, existing_secret
from edge_agent.setup.wires import baud, parity, serial_port
from edge_agent.versions import write_whole

__all__ = [
    "DEVICE_UNREADABLE",
    "Back",
    "Choice",
    "Conceal",
    "Draft",
    "Home",
    "Kind",
    "Link",
    "Look",
    "Manner",
    "Progress",
    "Question",
    "Rewind",
    "Step",
    "Steps",
    "Subject",
    "Values",
    "_",
    "ask",
    "baud",
    "checked",
    "complaint",
    "count",
    "existing_secret",
    "list_steps",
    "look",
    "menu",
    "moment",
    "new_name",
    "one_of",
    "optional",
    "parity",
    "people_say",
    "points",
    "port_problem",
    "profile_of",
    "profile_steps",
    "profile_title",
    "profile_wording",
    "read_points",
    "same_again",
    "serial_port",
    "to_factor",
    "to_host",
    "to_label",
    "to_name",
    "to_unit",
    "unit_question",
    "valid",
    "what_now",
    "whole",
    "write_whole",
]
