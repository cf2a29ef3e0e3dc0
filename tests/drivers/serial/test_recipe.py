import pytest
from edge_agent_serial import library
from edge_agent_serial.library import RecipeInvalid
from edge_agent_serial.part import octets, unescape, written
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.template import NoRequest, Template

FIRST = r"""
name: my-scale
title: a scale
maker: Example
sources: [the manual]
mode: stream
framing: {kind: line}
parse: {kind: regex, patterns: ['(?P<state>ST|US),(?P<weight>[+-][ \d.]*)kg']}
fields:
  weight: {type: number}
  stable: {from: state, map: {ST: true, US: false}, status: true}
quality:
  stable == false: uncertain:dynamic
weighing: {field: weight}
vectors:
  - {name: stable, source: captured, bytes: 'ST,+ 1.240kg\r\n', fields: {weight: 1.24}}
"""
ASKED = (
    FIRST.replace("mode: stream", "mode: poll")
    + r"""
  - {name: asks, source: the manual, request: ask, parameters: {number: 7}, sends: '#07\r'}
parameters: {number: {max: 99}}
requests:
  - {name: ask, send: '#{number:02d}\r', effect: read}
"""
)


def parse(text):
    return library.parse(text, "my-scale.yaml")


def test_a_recipe_is_read_with_what_it_leaves_out():
    recipe = parse(FIRST)
    assert recipe.line.baud == 9600
    assert recipe.field_names() == ["weight", "stable"]
    assert recipe.framing[0].kind == "line"


def test_only_yaml_1_2_is_read_so_that_words_stay_words():
    text = FIRST.replace("{ST: true, US: false}", "{ST: on, US: no}").replace(
        "stable == false", "stable == 'no'"
    )
    assert parse(text).fields["stable"].map == {"ST": "on", "US": "no"}


def test_numbers_are_decimal_with_zeros_before_them_and_nothing_is_none():
    text = FIRST.replace("title: a scale", "title: a scale\nline: {baud: 09600, tcp_port: }")
    line = parse(text).line
    assert (line.baud, line.tcp_port) == (9600, None)
    assert parse(FIRST.replace("title: a scale", "title: a scale\nline: {baud: 0x960}"))
    assert parse(FIRST.replace("title: a scale", "title: a scale\nline: {baud: 0o1130}"))


def change(*pairs, text=FIRST):
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


MISTAKES = [
    (change(("mode: stream", "mode: sream")), "mode: .*'stream', 'poll', 'session' or 'event'"),
    (change(("maker:", "make:")), "maker: this key is missing"),
    (change(("maker:", "maker: x\nmodel:")), "model: unknown key; did you mean models"),
    (change(("kind: line", "kind: lin")), "there is no kind lin: write 'line'"),
    (change(("title: a scale", "title: a scale\ntitle: b")), "'title' stands there twice"),
    (change(("name: my-scale", "name: My Scale")), "name: .*pattern"),
    (change(("map: {ST: true", "map: {ST: [1]")), "fields.stable.map"),
    (
        change(("from: state", "from: statte")),
        "fields.stable uses statte, which nothing before it gives",
    ),
    (change(("stable == false", "stabel == false")), "uses stabel"),
    (change(("field: weight", "field: tare")), "weighing.field uses tare"),
    (
        change(("fields: {weight: 1.24}", "fields: {wieght: 1.24}")),
        "the vector 'stable' uses wieght",
    ),
    (change(("uncertain:dynamic", "uncertain:moving")), "is no quality: write good"),
    (change(("type: number", "expression: '__import__(1)'")), "only abs"),
    (change(("mode: stream", "mode: poll")), "mode poll needs requests"),
    (change(("mode: stream", "mode: session")), "write both or neither"),
    (change(("mode: stream", "mode: stream\ndeny: ['(']")), "deny: .*no regular expression"),
    (change(("mode: stream", "mode: stream\nsigns: {'(a+)+': bad:overload}")), "forever"),
    (change(("mode: stream", "mode: stream\nencoding: klingon")), "does not fit"),
    (change(("framing: {kind: line}", "framing: {kind: fixed, length: 3}")), "fixed needs a sync"),
    (
        change(("framing: {kind: line}", "framing: [{kind: line}, {kind: line}]")),
        "cannot stand beside",
    ),
    (FIRST[: FIRST.index("vectors:")], "vectors: bytes with what they stand for are missing"),
    (change(("bytes: 'ST,+ 1.240kg\\r\\n', fields: {weight: 1.24}", "denied: Z")), "are missing"),
    (change(("bytes: 'ST,+ 1.240kg\\r\\n', ", "")), "exactly one of bytes, sends"),
    ("- a", "it holds no keys"),
    ("a: [", "it is no YAML: line"),
    ("a: &x {b: *x}", "recipe|key"),
    ("? [a]\n: b", "recipe|key|YAML"),
    # asking
    (change(("effect: read", "effect: write"), text=ASKED), "effect: .*'read'"),
    (change((", effect: read", ""), text=ASKED), "effect: this key is missing"),
    (change(("{number:02d}", "{nummer:02d}"), text=ASKED), "uses nummer, which does not exist"),
    (change(("{number:02d}", "{number:02q}"), text=ASKED), "means nothing"),
    (
        change(("send: '#{number:02d}\\r'", "send: 'Z\\r'"), text=ASKED),
        "requests.ask.send: 'Z' zeroes",
    ),
    (change(("number:", "weight:"), text=ASKED), "weight is a parameter and also a value"),
    (change(("request: ask", "request: other"), text=ASKED), "there is no request other"),
    (
        change(
            (", request: ask, parameters: {number: 7}, sends: '#07\\r'", ", denied: Z"), text=ASKED
        ),
        "none shows what the request ask sends",
    ),
    (change(("sends: '#07", "sends: 'Z"), text=ASKED), "vectors, 'asks': 'Z' zeroes the scale"),
    (change(("max: 99", "type: text"), text=ASKED), "needs a pattern"),
    (change(("max: 99", "max: 99, default: 100"), text=ASKED), "from 0 to 99"),
    (change(("effect: read", "effect: read, expect: statt == 1"), text=ASKED), "expect uses statt"),
    (change(("effect: read", "effect: read, brings: [tare]"), text=ASKED), "brings uses tare"),
    (ASKED + "  - {name: ask, send: '?', effect: read}", "two requests are called ask"),
    (
        change(("effect: read", "effect: read, brings: {weight: {nummer: 7}}"), text=ASKED),
        "brings.weight uses nummer, which does not exist",
    ),
    (
        change(("effect: read", "effect: read, brings: {weight: {number: 100}}"), text=ASKED),
        "brings.weight: number is 100: write a number from 0 to 99",
    ),
    (
        change(("effect: read", "effect: read, requires: {nummer > 7: write another}"), text=ASKED),
        "requires uses nummer, which does not exist",
    ),
    (change(("max: 99", "max: 99, pad: 2"), text=ASKED), "pad is for a parameter of type text"),
    (change(("type: number", "type: number, wide: 4")), "belong to each"),
    (
        change(("type: number", "each: 4, alone: {nummer: piece}"), text=ASKED),
        "fields.weight.alone uses nummer, which does not exist",
    ),
    (
        change(("type: number", "each: 4, number_to: nummer + 1"), text=ASKED),
        "fields.weight uses nummer, which does not exist",
    ),
]


@pytest.mark.parametrize(("text", "advice"), MISTAKES, ids=[advice for _, advice in MISTAKES])
def test_a_recipe_that_cannot_work_is_refused_in_plain_words(text, advice):
    with pytest.raises(RecipeInvalid, match=advice) as caught:
        parse(text)
    assert all("\n" not in one and "pydantic" not in one for one in caught.value.mistakes)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(RecipeInvalid) as caught:
        parse(
            change(
                ("from: state", "from: x"), ("stable == false", "y"), ("field: weight", "field: z")
            )
        )
    assert len(caught.value.mistakes) == 1  # the parts fit each other or not: one sentence each
    assert all(word in caught.value.mistakes[0] for word in ("uses x", "uses y", "uses z"))


def test_a_recipe_is_found_by_name_or_path(tmp_path):
    assert library.load("mt-sics").name == "mt-sics"
    path = tmp_path / "mine.yaml"
    path.write_text(FIRST)
    assert library.load(str(path)).name == "my-scale"
    path.write_text(FIRST.replace("title: a scale", "title: another scale"))
    assert library.load(str(path)).title == "another scale"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("mt-sic", "mt-sics"),
        ("no/such.yaml", "cannot be read: No such file"),
        ("/", "cannot be read"),
        ("../recipes/mt-sics", "cannot be read"),
    ],
)
def test_a_recipe_that_is_not_there_says_which_are(name, advice):
    with pytest.raises(RecipeInvalid, match=advice):
        library.load(name)


def test_a_file_too_large_or_not_of_text_is_refused(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("#" * (library.LARGEST + 1))
    with pytest.raises(RecipeInvalid, match="larger than 256 KiB"):
        library.load(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeInvalid, match="not UTF-8"):
        library.load(str(path))


@pytest.mark.parametrize("name", library.names())
def test_a_recipe_can_be_written_down_and_read_again(name):
    recipe = library.load(name)
    assert Recipe.model_validate(recipe.model_dump(mode="json", by_alias=True)) == recipe


@pytest.mark.parametrize("name", library.names())
def test_a_recipe_has_the_name_of_its_file(name):
    assert library.load(name).name == name


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        (r"SI\r\n", b"SI\r\n"),
        ("SI\r\n", b"SI\r\n"),
        (r"\x1bP\x0D", b"\x1bP\r"),
        (r"a\\rb", b"a\\rb"),
        ("hex:68 11", b"\x68\x11"),
        ("hex:6811", b"\x68\x11"),
        ("°", b"\xb0"),
        ("", b""),
    ],
)
def test_bytes_are_written_as_text_or_hex(text, bytes_):
    assert octets(text) == bytes_
    assert octets(written(bytes_)) == bytes_


@pytest.mark.parametrize("text", [r"\q", "SI\\", r"\x1"])
def test_an_unknown_escape_is_refused(text):
    with pytest.raises(ValueError, match="after a backslash"):
        unescape(text)


@pytest.mark.parametrize(
    ("template", "parameters", "sent"),
    [
        # each captured, or of a library's unit test: see the vectors of the families
        (
            "@{node:02d}RD{word:04d}{count:04d}{xor8-hex}*\\r",
            {"node": 0, "word": 0, "count": 10},
            b"@00RD0000001057*\r",
        ),
        (
            "\\x05{node:02X}FFWR0{device}{count:02X}{sum8-hex from 1}",
            {"node": 0, "device": "D0100", "count": 3},
            b"\x0500FFWR0D0100032D",
        ),
        (
            "\\x020{at:04X}{count:02X}\\x03{sum8-hex from 1}",
            {"at": 0x10F6, "count": 4},
            bytes.fromhex("0230313046363034033734"),
        ),
        (
            "hex:FE {meter:bcdle6} {item:hexle4+33}",
            {"meter": "000000000161", "item": "00010000"},
            bytes.fromhex("FE 610100000000 33333433"),
        ),
        ("hex:{meter:bcdle6}", {"meter": "AAAAAAAAAAAA"}, b"\xaa" * 6),
        ("hex:{n:uint2}{n:uintle2}{n:bcd2}", {"n": 258}, bytes.fromhex("0102 0201 0258")),
        (
            "hex:81 81 52 {p:uint1} 00 00 {sum16-words from 2 plus node}",
            {"p": 0, "node": 1},
            bytes.fromhex("8181520000005300"),
        ),
        ("{sum}", {"sum": 1}, b"1"),
        (r"\x7b{n}\x7d", {"n": 5}, b"{5}"),
    ],
)
def test_requests_are_built_as_they_were_captured(template, parameters, sent):
    assert Template(template).build(parameters) == sent


@pytest.mark.parametrize(
    ("template", "parameters", "reason"),
    [
        ("{n:02d}", {"n": 100}, "more than 2 digits"),
        ("{n:02d}", {"n": -1}, "no whole number"),
        ("{n:02d}", {"n": "x"}, "no whole number"),
        ("{n:02d}", {"n": True}, "no whole number"),
        ("{n}", {}, "missing"),
        ("{n}", {"n": "é"}, "ASCII"),
        ("{n:uint1}", {"n": 256}, "no uint of 1 bytes"),
        ("{n:bcd2}", {"n": "12A4"}, "no bcd of 2 bytes"),
        ("{n:bcd1}", {"n": 123}, "no bcd of 1 bytes"),
        ("{n:hex2}", {"n": "xyzw"}, "no hex of 2 bytes"),
        ("{sum8 plus n}", {}, "missing"),
    ],
)
def test_a_parameter_that_does_not_fit_its_place_is_refused(template, parameters, reason):
    with pytest.raises(NoRequest, match=reason):
        Template(template).build(parameters)


@pytest.mark.parametrize(
    "template",
    ["{", "}", "{}", "{a b}", "{a:q}", "{sum9 from 1}", "{{a}}", "hex:{a}0", "hex:xy", r"\q"],
)
def test_a_template_that_means_nothing_is_refused(template):
    with pytest.raises(ValueError, match=r"means nothing|brace|hex digits|backslash"):
        Template(template)
