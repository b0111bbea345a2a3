"""Names of secrets: what a key says about its value."""

from __future__ import annotations

import re

from . import shapes

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MARKER = re.compile(r"<redacted:[^<>]*>")
_LONGEST = 200


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Anywhere in a word, also in one written together, such as dbpassword.
_ALWAYS = re.compile(
    r"passw(?:or)?d|passphrase|passcode|passkey|credential|"
    r"(?:api|secret|access|private|auth|signing|encryption)key|"
    r"(?:client|app|api)secret|(?:access|auth|api|refresh|bearer|session)token"
)
# Before "key": whose key, or which one. A primary, sort, cache or random key is none of these.
_KEYS_OF = _set(
    "api access secret private encryption auth session signing account master ssh service license "
    "licence shared storage subscription deploy gpg pgp hmac jwt ssl tls aes rsa webhook admin "
    "app openai anthropic azure aws gcp google gemini hf huggingface github gitlab stripe wandb "
    "neptune comet slack mistral cohere groq replicate pinecone datadog sentry twilio sendgrid "
    "kaggle"
)
_PASS_OF = _set(
    "db database user mysql postgres postgresql pg smtp imap email mail ftp sftp ssh redis mongo "
    "admin root login rabbitmq proxy http https ldap ca key sudo my"
)
_NOT_SECRET = _set("secretary secretaries secretariat secretion secretions secreted secretly")
# The last word of a name that tells something about a secret, not the secret.
_ABOUT = _set(
    "name names type types length lengths len count counts num number numbers field fields url "
    "uri urls endpoint file files filename path paths dir directory folder env environ envvar var "
    "prefix suffix format limit limits expiry expires expiration expired ttl timeout age size "
    "sizes index idx column columns col policy strategy required enabled disabled valid validator "
    "validation version scheme mode kind class header param parameter label provider manager "
    "store backend method function func fn handler callback reset form input prompt page view "
    "generator checker strength rotation history min max hint question location algorithm santa"
)
_FLAGS = _set("is has use uses needs requires require no show hide skip with without num n")
# What makes a token a piece of text.
_PIECE = _set(
    "num n max min total per count avg mean new special pad eos bos unk mask sep cls vocab first "
    "last next prev previous current image img text audio video input output prompt completion "
    "generated sample start end stop class word sub subword dist register patch blank space "
    "newline separator source src target tgt dummy decoder encoder forced placeholder oov begin "
    "beginning out cached cache reasoning visible hidden query context tie empty padding byte "
    "char bpe lang language speech vision single each every any all top best unknown reserved "
    "extra additional added whitespace punctuation punct delimiter delim eot eod eom im soft "
    "think thinking tool chat assistant role segment sentence anchor event time label object type "
    "learnable head root left right random pre de un non multi inter over rare common frequent "
    "boi eoi line step"
)
_OF_PIECES = _set(
    "id ids per embedding embeddings embed dim level mask masks prob probs logprob logprobs loss "
    "losses dropout rate budget usage window list position positions freq frequency ratio "
    "accuracy classification merging merge pattern regex span spans start end offset offsets map "
    "mapping vocab weight weights score scores cost price shift mixing pruning drop keep shape "
    "set sets ize izer ized izing s stream buffer batch sequence sequences text texts "
    "distribution"
)
_ACCESS = _set("access auth api refresh bearer session hf github gitlab secret bot personal oauth")


def is_secret_name(key: str) -> bool:
    """Whether a key of this name holds a secret (``hf_token`` yes, ``num_tokens`` no)."""
    if key in ("PWD", "OLDPWD"):
        return False
    words = _words(key)
    if not words or words[-1] in _ABOUT or words[0] in _FLAGS:
        return False
    return _strong(words) or _token(words) or _access(words)


def is_strong_name(key: str) -> bool:
    """Whether the name can mean nothing but a secret: a password, a key, not just a token."""
    words = _words(key)
    return is_secret_name(key) and _strong(words)


def marker(key: str) -> str:
    """What stands in the place of a secret: ``<redacted:api_key>``."""
    label = re.sub(r"[^a-z0-9_]+", "-", key[-_LONGEST:].lower()).strip("-_")[-40:].strip("-_")
    # A name that itself looks like a secret says nothing of it.
    return "<redacted:secret>" if not label or shapes.hide(label)[1] else f"<redacted:{label}>"


def _words(key: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(_MARKER.sub("", key[-_LONGEST:]))]


def _strong(words: list[str]) -> bool:
    for before, word in zip(["", *words], words, strict=False):
        if _ALWAYS.search(word) or word == "pwd" or (word == "pass" and before in _PASS_OF):
            return True
        if word in ("key", "keys") and before in _KEYS_OF:
            return True
        if "secret" in word and word not in _NOT_SECRET:
            return True
        if before in ("connection", "conn") and word in ("string", "str"):
            return True
    return False


def _token(words: list[str]) -> bool:
    for at, word in enumerate(words):
        before = words[:at]
        if word == "tokens":
            if before and before[-1] in _ACCESS and at == len(words) - 1:
                return True
        elif word.endswith("token"):
            pieces = _PIECE.intersection((*before, word.removesuffix("token")))
            if not pieces and not _OF_PIECES.intersection(words[at + 1 :]):
                return True
    return False


def _access(words: list[str]) -> bool:
    return words[-1] in ("auth", "oauth", "authorization", "bearer", "jwt", "cookie", "cookies")
