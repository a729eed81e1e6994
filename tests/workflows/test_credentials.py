"""A credential is known by its form, and nothing that people honestly write is taken for one."""

import json

import pytest

from workflows.credentials import MARK, credential_in, refuse_credential, without_credentials
from workflows.errors import SecretError

_BODY = "MC4CAQAwBQYDK2VwBCIEI" + "A1b2C3d4" * 5
KEY = f"-----BEGIN PRIVATE KEY-----\n{_BODY}\n-----END PRIVATE KEY-----"
FORMS = {
    "a Slack token": [
        "xox" + "b-1234567890-1234567890123-" + "aB3" * 8,
        "xapp-1-A0ABC-" + "1" * 40,
    ],
    "a GitHub token": ["gh" + "p_" + "a1B" * 12, "github_pat_" + "a1_B" * 20],
    "a GitLab token": ["glpat-" + "a1B2-" * 4],
    "a Stripe key": ["sk_live_" + "a1B2" * 6],
    "an age identity": ["AGE-SECRET-KEY-1" + "Q" * 58],
    "a token of this bot": ["ilk_" + "a" * 49],
    "a private key": [
        KEY,
        KEY.replace("\n", " "),
        json.dumps(KEY),
        KEY.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
        KEY.replace("PRIVATE KEY", "PGP PRIVATE KEY BLOCK").replace("\n", "\nVersion: 1\n\n", 1),
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{_BODY}",
    ],
}


@pytest.mark.parametrize(
    ("kind", "written"), [(kind, one) for kind, some in FORMS.items() for one in some]
)
def test_a_credential_is_known_by_its_form_and_never_repeated(kind: str, written: str) -> None:
    text = f"it is ({written})."

    with pytest.raises(SecretError, match=kind) as refused:
        refuse_credential(text)

    assert credential_in(text) == kind
    assert credential_in(json.dumps(f"it is\n{written}")) == kind
    assert written[10:] not in f"{refused.value.message} {refused.value.hint}"
    assert MARK in without_credentials(text)
    assert "A1b2C3d4" not in without_credentials(text)


@pytest.mark.parametrize(
    "honest",
    [
        "Disable the key AKIAIOSFODNN7EXAMPLE, it leaked.",
        "The token starts with xoxb-, see xoxb-your-token and ghp_… in the guide.",
        "It begins with -----BEGIN PRIVATE KEY----- and the rest was cut.",
        f"-----BEGIN CERTIFICATE-----\n{_BODY}\n-----END CERTIFICATE-----",
        f"-----BEGIN PUBLIC KEY-----\n{_BODY}\n-----END PUBLIC KEY-----",
        "ilk_short, foxxoxb-1234567890-1234567890123-aaaaaaaaaaaa",
        "deploy 3f786850e387550fdab836ed7e6dc881de23001b",
    ],
)
def test_what_people_honestly_write_passes(honest: str) -> None:
    refuse_credential(honest)

    assert without_credentials(honest) == honest
