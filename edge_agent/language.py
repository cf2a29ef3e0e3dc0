"""The one door for texts that people read: `_` translates a message id, which is English.

Message ids are whole sentences with `{named}` parts, so that gettext tools can extract them and
another language can order them freely: `_("{port} is busy").format(port=port)`.
"""

import gettext

_catalogue = gettext.NullTranslations()


def speak(catalogue: gettext.NullTranslations) -> None:
    """Use this catalogue from now on; texts are looked up when they are shown."""
    global _catalogue  # noqa: PLW0603 - one process speaks one language
    _catalogue = catalogue


def _(message: str) -> str:
    return _catalogue.gettext(message)


def count(number: int, one: str, many: str) -> str:
    """Say a number of things in the language's own plural; `{n}` stands for the number."""
    return _catalogue.ngettext(one, many, number).format(n=number)
