"""Secrets out of text: by the name of the key and by the shape of the value."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings

import pytest

from trackbook import redact


def words(listed: str) -> list[str]:
    return listed.split()


SECRET_NAMES = words(
    """
    api_key API_KEY hf_token password dbPassword aws-secret-access-key token client_secret
    AUTH_TOKEN private_key OPENAI_API_KEY accessKey credentials APIKey apikey passwd db_pass
    PGPASSWORD passphrase aws_access_key_id github_token GH_TOKEN access_token refreshToken
    session_token csrf_token access_tokens bearer_token auth basic_auth Authorization Cookie
    secret SECRET_KEY my_secret_value top.secret django_secret_key encryption_key wandb_key
    ssh_key signing-key jwt user_pwd connection_string password2 token_2 slackBotToken x-api-key
    proxy-authorization webhook_secret hftoken dbpassword clientsecret kaggle_key license_key
    id_token personal_access_token
    """
)
ORDINARY_NAMES = words(
    """
    num_tokens max_tokens tokens_per_second pad_token_id max_new_tokens tokenizer key lr
    keyboard n_estimators secretary vocab_tokens token_count pad_token bos_token eos_token
    unk_token mask_token cls_token sep_token token_ids token_type_ids tokens n_tokens
    num_prompt_tokens input_tokens next_token tokenize token_embeddings token_dropout
    secret_santa primary_key foreign_key sort_key cache_key random_key public_key keys author
    authority auth_url auth_type passed bypass first_pass n_pass pwd_length password_length
    password_field api_key_name secret_name token_expiry PWD OLDPWD compass passenger monkey
    hockey turkey commit hash uuid compression image_token decoder_start_token is_secret
    use_auth requires_auth special_tokens additional_special_tokens subtoken token_logprobs
    """
)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_names_of_secrets(name: str) -> None:
    assert redact.is_secret_name(name)


@pytest.mark.parametrize("name", ORDINARY_NAMES)
def test_ordinary_names(name: str) -> None:
    assert not redact.is_secret_name(name)


# Put together here, so that no scanner of this repository takes them for real ones.
SHAPES = {
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "aws-session": "ASIA" + "ABCDEFGHIJKLMN12",
    "github": "ghp_" + "a1" * 18,
    "github-app": "ghs_" + "a1" * 18,
    "github-fine": "github_pat_" + "a1" * 20,
    "gitlab": "glpat-" + "a1b2c3d4e5" * 2,
    "openai": "sk-" + "proj-abc123" * 3,
    "anthropic": "sk-ant-api03-" + "aB3_" * 20,
    "huggingface": "hf_" + "a" * 34,
    "slack": "xoxb-" + "1234567890-abc",
    "google": "AIza" + "SyA1-b2_C3" * 3 + "d4E5f",
    "google-oauth": "ya29." + "a0AfH6SM" * 4,
    "stripe": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "stripe-test": "rk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "npm": "npm_" + "a1B2" * 9,
    "pypi": "pypi-AgEI" + "cHlwaS5vcmc" * 3,
    "sendgrid": "SG." + "a1B2c3D4e5F6g7H8i9J0k1" + "." + "a1B2c3D4e5" * 4 + "xyz",
    "databricks": "dapi" + "0123456789abcdef" * 2,
    "telegram": "123456789:AA" + "a1B" * 11,
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4",
    "pem": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("secret", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("around", ["{}", "x = '''{}'''", "see {} there", '"{}",', "a\\n{}\\n"])
def test_shapes_are_hidden_wherever_they_stand(secret: str, around: str) -> None:
    for hide in (redact.text, redact.code, redact.source):
        clean, count = hide(around.format(secret))
        assert secret not in clean
        assert "MIIE" not in clean
        assert count >= 1
        assert "<redacted:" in clean


def test_a_key_keeps_the_number_of_lines() -> None:
    clean, _ = redact.code(f"+a\n+{SHAPES['pem']}\n+b")
    assert clean.count("\n") == 4


def test_a_key_that_was_cut_off_is_hidden_and_what_follows_stays() -> None:
    begun = "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 3
    clean, count = redact.text(begun + "\nand then the log goes on")
    assert count == 1
    assert "MIIE" not in clean
    assert clean.endswith("and then the log goes on")


def test_an_aws_secret_is_known_by_the_id_before_it() -> None:
    pair = f'client("{SHAPES["aws"]}", "{"wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYEXAMPLEKEY"}")'
    for hide in (redact.text, redact.source):
        assert hide(pair)[0] == 'client("<redacted:aws-key>", "<redacted:aws-secret>")'
    assert redact.text("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")[1] == 0


def test_credentials_in_an_address_go_and_the_address_stays() -> None:
    clean, count = redact.text("https://ada:pa55@example.org/repo.git")
    assert (clean, count) == ("https://<redacted:url-credentials>@example.org/repo.git", 1)


LITERALS = [
    'password = "hunter2"',
    "os.environ['API_KEY'] = 'hunter2'",
    'login(token="hunter2")',
    '{"client_secret": "hunter2"}',
    "DB_PASSWORD: 'hunter2'",
    'password: str = "hunter2"',
    "Config(api_key='hunter2', lr=0.1)",
    'openai.api_key = "hunter2"',
    'self.token = r"hunter2"',
    'if password == "hunter2": pass',
    r'"api_key = \"hunter2\"\n",',
    "config['db']['password'] = \"hunter2\"",
    'if x: password = "hunter2"',
]


@pytest.mark.parametrize("source", LITERALS)
def test_literals_given_to_a_secret_name_are_named_holes(source: str) -> None:
    for hide in (redact.text, redact.code, redact.source):
        clean, count = hide(source)
        assert "hunter2" not in clean
        assert count == 1
        assert clean.count("<redacted:") == 1


BARE = [
    "API_KEY=hunter2",
    "export OPENAI_API_KEY=hunter2!(x)",
    "+DB_PASSWORD=hunter2",
    "password=hunter2",
    "password = hunter2",
    "password: hunter2",
    "  password: hunter2\n  user: ada",
    "--password hunter2 --lr 0.1",
    "--api-key=hunter2",
    "GET /x?api_key=hunter2&page=2",
    "Server=db;Password=hunter2;User=ada",
    "DefaultEndpointsProtocol=https;AccountKey=hunter2;Suffix=x",
    "Authorization: Bearer hunter2hunter2",
    "Authorization: token hunter2",
    "curl -H 'X-Api-Key: hunter2' example.org",
    "Cookie: session=hunter2; theme=dark",
    "Set-Cookie: id=hunter2",
    "authenticated with Bearer hunter2hunter2",
    "Basic YWRhOmh1bnRlcjI= ",
    "logged in, token=hunter2, ok",
]


@pytest.mark.parametrize("printed", BARE)
def test_values_without_quotes_are_hidden_in_text(printed: str) -> None:
    clean, count = redact.text(printed)
    assert "hunter2" not in clean
    assert "YWRhOmh1bnRlcjI" not in clean
    assert count >= 1
    assert redact.text(clean) == (clean, 0)


PYTHON = [
    'user, password = "ada", "hunter2"',
    'passwords = ["hunter2", "other!"]',
    'os.environ.setdefault("API_KEY", "hunter2")',
    'os.environ.get("HF_TOKEN", "hunter2")',
    'parser.add_argument("--token", default="hunter2", help="the token")',
    'def connect(host, password="hunter2"): pass',
    'def connect(*, api_key="hunter2"): pass',
    'password = ("hun"\n            "ter2hunter2")',
    'password = "hunter2".encode()',
    'password = b"hunter2"',
    'password = """hunter2\nhunter2"""',
    'password = f"hunter2-{user}"',
    'password = "hunter2" if debug else getpass()',
    'token = os.getenv("X") or "hunter2"',
    'if (password := "hunter2"): pass',
    "# password: hunter2\nx = 1",
    "x = 1  # api_key=hunter2",
    'db = "postgresql://ada:hunter2@host/db"',
    'dsn = "host=db password=hunter2 user=ada"',
    'raw = \'{"api_key": "hunter2"}\'',
    'keyring.set_password("svc", "ada", "hunter2")',
    'wandb.login(key="hunter2")',
    'headers = {"Authorization": "Bearer hunter2"}',
    'ключ = 1; password = "hunter2"; слово = "слово"',
    "!curl --token hunter2 example.org",
    "%env API_KEY=hunter2",
    "%%bash\nexport API_KEY=hunter2",
    "%%track forest -p api_key=hunter2\nx = 1",
    'x = 1\n!pip install --token hunter2 thing\npassword = "hunter2"',
    'if True:\n    !login --password hunter2\n    password = "hunter2"',
    'broken = (\npassword = "hunter2"',
]


@pytest.mark.parametrize("cell", PYTHON)
def test_cells_lose_their_secrets(cell: str) -> None:
    clean, count = redact.source(cell)
    assert "hunter2" not in clean
    assert "ter2" not in clean
    assert count >= 1
    assert redact.source(clean) == (clean, 0)


def test_a_hole_has_the_name_of_its_key_and_the_rest_of_the_cell_stays() -> None:
    cell = 'import x  # key\n\nclient = x.Client(api_key="hunter2", retries=3)\nname = "é"  \n'
    wanted = cell.replace("hunter2", "<redacted:api_key>")
    assert redact.source(cell) == (wanted, 1)


def test_numbers_that_are_passwords_are_hidden_too() -> None:
    assert redact.source("password = 12345678\nport = 5432")[0] == (
        'password = "<redacted:password>"\nport = 5432'
    )


ORDINARY = [
    "lr = 0.1",
    "tokens = ['a', 'b']",
    "max_tokens = '512'",
    "key = 'value'",
    "password = getpass()",
    "password = getpass.getpass('password: ')",
    "token = os.environ['HF_TOKEN']",
    "login(token=token)",
    "connect(password=args.password)",
    "https://example.org/a@b",
    "",
    "def f(token: str, password: str = None) -> str:",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    "pad_token='<pad>', eos_token='</s>'",
    "commit 4f2a9c81d0e3b5a6978812345678901234567890",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "123e4567-e89b-12d3-a456-426614174000",
    "b3-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "token: the",
    "token=running pos=VERB",
    "sorted(rows, key=lambda r: r['token'])",
    "headers = {'Authorization': f'Bearer {token}'}",
    "headers = {'Authorization': 'Bearer ' + token}",
    "password=${DB_PASSWORD}",
    "api_key: '${API_KEY}'",
    "api_key = ''",
    "password = None",
    "auth: none",
    "Basic statistics of the data set",
    "the bearer of bad news",
    "Password:",
    "git@github.com:ada/repo.git",
    "ssh://git@example.org/repo.git",
    "epoch 3: loss=0.25 tokens=81234 tokens/s=1523.2",
    "num_tokens=4096 max_new_tokens=128",
    "task-1234567890-abcdefghij-run",
    "risk-adjusted-return-over-12-months-long",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "if line == '-----BEGIN PRIVATE KEY-----':",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ada@host",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "for token in tokens: counts[token] += 1",
    "token = next(stream)",
    "primary_key = 'id'",
    "SECRET_NAME=prod/db",
    "train_test_split(X, y, random_state=0)",
    "https://example.org/page?token_type=bearer&x=1",
    "secret_santa = 'Grace'",
    "accuracy 0.93 key=value pass=3",
    "PWD=/home/ada/project",
    "author = 'Ada'",
    "columns = ['password', 'username']",
    "hf_model_name_that_is_quite_long_really = 1",
    "SK_LEARN = 1",
    "print(f'{token!r}')",
    "'cls_token': '[CLS]'",
    "time 12:30:45 at https://example.org:8080/x",
    "http://localhost:8888/lab",
    "AssertionError: token is missing",
    "KeyError: 'api_key'",
    "password: str",
    "s3://bucket/key/with:colon/and@sign",
    "<redacted:api_key>",
    "password='<redacted:password>'",
]


@pytest.mark.parametrize("plain", ORDINARY)
def test_ordinary_text_stays(plain: str) -> None:
    for hide in (redact.text, redact.code, redact.source):
        assert hide(plain) == (plain, 0)


def test_there_are_cases_enough() -> None:
    assert len(SECRET_NAMES) + len(SHAPES) + len(LITERALS) + len(BARE) + len(PYTHON) >= 120
    assert len(ORDINARY_NAMES) >= 60
    assert len(ORDINARY) >= 60


# -- in particular ---------------------------------------------------------------------------------


def test_source_of_two_thousand_lines_keeps_every_other_line() -> None:
    lines = [f"value_{i} = sorted(rows, key=rank)  # {i}" for i in range(2000)]
    cell = "\n".join([*lines, 'api_key = "hunter2"', *lines])
    clean, count = redact.source(cell)
    assert count == 1
    assert clean == cell.replace("hunter2", "<redacted:api_key>")


def test_reading_a_cell_shows_no_warning_and_forgets_none() -> None:
    code = """
import warnings
from trackbook import redact
def tell():
    warnings.warn("once only", UserWarning)
tell()
redact.source('password = "\\\\d"')
tell()
"""
    done = subprocess.run(
        [sys.executable, "-W", "always::SyntaxWarning", "-W", "default", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("UserWarning: once only") == 1
    assert "escape" not in done.stderr


def test_where_warnings_are_errors_cells_are_still_read() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert redact.source('x = "\\d"\npassword = "hunter2"')[1] == 1


def test_command_lines_hide_what_follows_a_secret_flag() -> None:
    argv = [
        "train.py",
        "--token",
        "hunter2",
        "--lr",
        "0.1",
        "--password=hunter2",
        "API_KEY=hunter2",
    ]
    clean, count = redact.arguments(argv)
    assert clean == ["train.py", "--token", "<redacted:token>", "--lr", "0.1",
                     "--password=<redacted:password>", "API_KEY=<redacted:api_key>"]  # fmt: skip
    assert count == 3
    assert redact.arguments(["--token", "--lr", "0.1"])[1] == 0


def test_trees_are_walked_by_their_keys() -> None:
    tree = {
        "lr": 0.1,
        "api_key": "hunter2",
        "nested": {"password": "hunter2", "n": 3, "list": [SHAPES["aws"], 1, None]},
        "passwords": ["hunter2", "other"],
        "credentials": {"user": "hunter2"},
        "pin_secret": 123456,
        "variables": [{"name": "API_KEY", "value": "hunter2"}],
        "token": "",
        "num_tokens": 4096,
    }
    clean, count = redact.tree(tree)
    assert "hunter2" not in json.dumps(clean)
    assert SHAPES["aws"] not in json.dumps(clean)
    assert clean["lr"] == 0.1
    assert clean["nested"]["n"] == 3
    assert clean["token"] == ""
    assert clean["num_tokens"] == 4096
    assert clean["pin_secret"] == "<redacted:pin_secret>"
    assert count == 8


@pytest.mark.parametrize(
    "part", ["x", "_", "a.", "x ", "://", "-----BEGIN ", 'api_key="', "a = ", "sk-"]
)
def test_a_long_text_takes_no_time_to_speak_of(part: str) -> None:
    started = time.process_time()
    redact.text(part * (100_000 // len(part)))
    assert time.process_time() - started < 5
