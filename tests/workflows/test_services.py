"""What a policy may say about the outside world."""

import json

import pytest
from pydantic import ValidationError

from workflows.services import Services


def declared(kind: str, **target: object) -> Services:
    return Services.model_validate({kind: {"one": target}})


def test_targets_are_closed_and_frozen() -> None:
    services = declared("services", base_url="https://shop.example/v1/")

    assert services.services["one"].base_url == "https://shop.example/v1"
    assert services.services["one"].allowed_hosts == {"shop.example"}
    with pytest.raises(ValidationError):
        services.services["one"].private = True
    with pytest.raises(ValidationError):
        declared("services", base_url="https://shop.example", privat=True)


def test_the_same_targets_give_the_same_bytes() -> None:
    given = {"base_url": "https://a.example", "hosts": ["c.example", "b.example", "d.example"]}
    dumped = {declared("services", **given).model_dump_json() for _ in range(3)}

    assert len(dumped) == 1
    assert Services.model_validate(json.loads(dumped.pop())) == declared("services", **given)


@pytest.mark.parametrize(
    "url",
    [
        "shop.example",
        "ftp://shop.example",
        "http://",
        "http://name:word@shop.example",
        "http://shop.example/?a=b",
        "http://shop.example/#a",
        "http://shop.example:99999",
        "http://shop example",
    ],
)
def test_an_address_that_is_no_plain_base_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        declared("services", base_url=url)


@pytest.mark.parametrize(
    "extra", [{"paths": ["("]}, {"probe": "/refunds"}, {"max_bytes": 2**21}, {"hosts": "x"}]
)
def test_a_service_that_makes_no_sense_is_refused(extra: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        declared("services", base_url="http://shop.example", **extra)


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"url": "sqlite:///a", "secret": "b"},
        {"url": "postgresql://me:word@host/db"},
        {"url": "postgresql://me@host/db?password=word"},
    ],
)
def test_a_database_has_one_address_without_a_password(target: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        declared("databases", **target)


@pytest.mark.parametrize(
    "target",
    [
        {"path": "git", "folders": {"here": "/srv"}},
        {"path": "/usr/bin/git", "folders": {}},
        {"path": "/usr/bin/git", "folders": {"here": "srv"}},
        {"path": "/usr/bin/git", "folders": {"here": "/srv"}, "reads": ["["]},
        {"path": "/usr/bin/git", "folders": {"here": "/srv"}, "environment": {"A=B": "c"}},
    ],
)
def test_a_program_has_a_full_path_and_named_folders(target: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        declared("programs", **target)


def test_every_secret_that_a_target_needs_is_named() -> None:
    services = Services.model_validate(
        {
            "services": {
                "shop": {"base_url": "http://s.example", "secret_header": {"secret": "a"}},
                "open": {"base_url": "http://o.example"},
            },
            "databases": {"crm": {"secret": "b"}, "own": {"url": "sqlite:////srv/own.db"}},
            "programs": {
                "git": {"path": "/usr/bin/git", "folders": {"r": "/srv"}, "secrets": {"T": "c"}}
            },
        }
    )

    assert services.secrets == {"a", "b", "c"}
