"""HTML as nested elements whose texts are escaped, whatever they hold. Pure.

What is no `Html` is text: a device's label can be `<script>`, and stays those eight signs.
"""

import html

STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;
overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.6rem 0 .3rem;border-bottom:2px solid}
h3{font-size:1rem;margin:1.1rem 0 .2rem}p{margin:.3rem 0}
table{border-collapse:collapse;width:100%;margin:.3rem 0}
th,td{border-bottom:1px solid #8886;padding:.15rem .4rem .15rem 0;text-align:left;
vertical-align:top}
th[scope=row]{font-weight:normal;width:34%}thead th{font-size:.85em}
.number{font-variant-numeric:tabular-nums;white-space:nowrap}
small,.quiet{color:GrayText;font-size:.85em}small{display:block}
.ok{color:#0a6b2d}.warn{color:#8a5a00}.fail{color:#b3141d}.off{color:GrayText}
.ok,.warn,.fail,.off{font-weight:600;white-space:nowrap}
.verdict{border:2px solid;padding:.5rem .7rem;font-size:1.1rem;white-space:normal}
.sign{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:2.6rem 1.5rem;
margin-top:2.6rem}.sign div{border-top:1px solid;padding-top:.2rem}
@media(prefers-color-scheme:dark){.ok{color:#5fd38a}.warn{color:#f0b94a}.fail{color:#ff7b7b}}
@media print{@page{size:A4;margin:14mm}body{max-width:none;padding:0;font-size:10pt}
section.one,.sign,tr{break-inside:avoid}h2,h3{break-after:avoid}}
"""
MARKS = {"ok": "\u25cf", "warn": "\u25b2", "fail": "\u25a0", "off": "\u25cb"}
"""Shapes, so that nothing hangs on colour alone: a disc, a triangle, a square, a ring."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str) -> Html:
    """Make an element; `kind` stands for `class`, a trailing `_` of a name is dropped."""
    said = "".join(
        f' {"class" if key == "kind" else key.rstrip("_")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value
    )
    return Html(f"<{name}{said}>{joined(*children)}</{name}>")


def joined(*children: str) -> Html:
    """Put pieces side by side."""
    return Html("".join(one if isinstance(one, Html) else html.escape(one) for one in children))


def mark(kind: str, text: str) -> Html:
    """Say how something stands: by shape, colour and word."""
    return element("span", f"{MARKS[kind]} {text}", kind=kind)


def facts(*rows: tuple[str, str]) -> Html:
    """Make a table of names and what they have; rows without anything are left out."""
    made = [
        element("tr", element("th", name, scope="row"), element("td", what))
        for name, what in rows
        if what
    ]
    return element("table", *made) if made else Html("")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Html:
    """Make a table with a head, unless that is empty; nothing where there are no rows."""
    if not rows:
        return Html("")
    titles = element("tr", *(element("th", one, scope="col") for one in head))
    lines = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    body = element("tbody", *lines)
    return element("table", element("thead", titles), body) if head else element("table", body)
