"""Secrets out of text: by the name of the key and by the shape of the value."""

from __future__ import annotations

import time

import pytest

from trackbook import redact


@pytest.mark.parametrize(
    "name",
    ["api_key", "API_KEY", "hf_token", "password", "dbPassword", "aws-secret-access-key", "token",
     "client_secret", "AUTH_TOKEN", "private_key", "OPENAI_API_KEY", "accessKey", "credentials"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert redact.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["num_tokens", "max_tokens", "tokens_per_second", "pad_token_id", "max_new_tokens", "tokenizer",
     "key", "lr", "keyboard", "n_estimators", "secretary", "vocab_tokens", "token_count"],
)  # fmt: skip
def test_ordinary_names(name: str) -> None:
    assert not redact.is_secret_name(name)


SECRETS = [
    "AKIAABCDEFGHIJKLMNOP",
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 20,
    "sk-" + "proj-abc123" * 3,
    "hf_" + "a" * 34,
    "xoxb-1234567890-abc",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "x = '{}'", "see {} there", '"{}",'])
def test_shapes_are_hidden_wherever_they_stand(secret: str, around: str) -> None:
    clean, count = redact.text(around.format(secret))
    assert secret not in clean
    assert "MIIE" not in clean
    assert count >= 1
    assert "<redacted:" in clean


def test_credentials_in_an_address_go_and_the_address_stays() -> None:
    clean, count = redact.text("https://ada:pa55@example.org/repo.git")
    assert (clean, count) == ("https://<redacted:url-credentials>@example.org/repo.git", 1)


@pytest.mark.parametrize(
    "source",
    [
        'password = "hunter2"',
        "os.environ['API_KEY'] = 'hunter2'",
        'login(token="hunter2")',
        '{"client_secret": "hunter2"}',
        "DB_PASSWORD: 'hunter2'",
    ],
)
def test_literals_given_to_a_secret_name_are_named_holes(source: str) -> None:
    clean, count = redact.text(source)
    assert "hunter2" not in clean
    assert count == 1
    assert clean.count("<redacted:") == 1


@pytest.mark.parametrize(
    "source",
    ["lr = 0.1", "tokens = ['a', 'b']", "max_tokens = '512'", "key = 'value'", 
     "password = getpass()", "https://example.org/a@b", ""],
)  # fmt: skip
def test_ordinary_text_stays(source: str) -> None:
    assert redact.text(source) == (source, 0)


def test_twice_is_the_same_as_once() -> None:
    clean, _ = redact.text('token = "hunter2"; url = "https://a:b@c"; ' + SECRETS[0])
    assert redact.text(clean) == (clean, 0)


def test_trees_are_walked_by_their_keys() -> None:
    tree = {
        "lr": 0.1,
        "api_key": "hunter2",
        "nested": {"password": "hunter2", "n": 3, "list": [SECRETS[0], 1, None]},
        "passwords": ["hunter2", "other"],
        "token": "",
    }
    clean, count = redact.tree(tree)
    assert "hunter2" not in str(clean)
    assert SECRETS[0] not in str(clean)
    assert clean["lr"] == 0.1
    assert clean["nested"]["n"] == 3
    assert clean["token"] == ""
    assert count == 5


@pytest.mark.parametrize(
    "part", ["x", "_", "a.", "x ", "://", "-----BEGIN ", 'api_key="', "a = ", "sk-"]
)
def test_a_long_text_takes_no_time_to_speak_of(part: str) -> None:
    started = time.process_time()
    redact.text(part * (100_000 // len(part)))
    assert time.process_time() - started < 5
