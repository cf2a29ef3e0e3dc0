"""Register lists: makers' and integrators' tables of points, read from CSV and spreadsheets.

`read_list` turns a file and answers into points; what the list leaves open comes back as
questions, to be asked once. Nothing here knows how a driver's addresses are written: a driver
package brings that as a `Dialect`.
"""

from edge_agent.registers.dialect import Asked, Choice
from edge_agent.registers.listed import Listed, RegisterList
from edge_agent.registers.reading import read_list
from edge_agent.registers.table import ListUnreadable

__all__ = ["Asked", "Choice", "ListUnreadable", "Listed", "RegisterList", "read_list"]
