"""The JSON Schema for editors: fresh, valid, and never stricter than the check itself."""

import json
from pathlib import Path

import jsonschema
import pytest

from edge_agent.config import schema, yamlfile

KEPT = Path("config/schema.json")
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = schema.schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_the_schema_in_the_project_is_fresh() -> None:
    assert KEPT.read_text() == schema.text(), (
        "make it anew: python -m edge_agent.config.schema > config/schema.json"
    )


def test_every_key_is_described() -> None:
    made = json.loads(KEPT.read_text())
    for name, shape in made["$defs"].items():
        for key, described in shape.get("properties", {}).items():
            assert "description" in described or "$ref" in described, f"{name}.{key}"


def test_the_example_fits_the_schema(validator) -> None:
    validator.validate(yamlfile.parse(Path("config/edge-agent.yaml").read_text()).root)


def test_allowed_files_fit_the_schema(validator) -> None:
    validator.validate(yamlfile.parse((CASES[0].parent / "warnings.yaml").read_text()).root)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.stem in {"gateway", "broker", "buffer", "points", "addresses"}],
    ids=lambda case: case.stem,
)
def test_an_editor_sees_mistakes_too(validator, case: Path) -> None:
    assert list(validator.iter_errors(yamlfile.parse(case.read_text()).root))
