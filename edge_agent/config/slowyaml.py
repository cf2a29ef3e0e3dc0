"""The YAML parser of last resort, for a PyYAML that was built without its C library."""

from yaml import parser, reader, scanner


class Parser(reader.Reader, scanner.Scanner, parser.Parser):
    """PyYAML's own parser: text in, events out."""

    def __init__(self, text: str) -> None:
        reader.Reader.__init__(self, text)
        scanner.Scanner.__init__(self)
        parser.Parser.__init__(self)
