from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from moa.backends.keys import Secret, read_key, redact, secrets_in_environment
from moa.errors import MissingKeyError

KEY = "sk-a-key-that-must-never-show"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    monkeypatch.delenv("MY_KEY_FILE", raising=False)


class TestSecret:
    def test_shows_nothing(self) -> None:
        secret = Secret(KEY)
        assert KEY not in f"{secret} {secret!r} {[secret]} {secret:}"
        assert secret.reveal() == KEY

    def test_cannot_be_written_to_a_file(self) -> None:
        with pytest.raises(TypeError):
            pickle.dumps(Secret(KEY))

    def test_survives_the_copying_of_what_holds_it(self) -> None:
        assert copy.deepcopy([Secret(KEY)]) == [Secret(KEY)]

    def test_is_equal_to_itself_and_to_nothing_else(self) -> None:
        assert Secret(KEY) == Secret(KEY)
        assert Secret(KEY) != Secret("another")
        assert Secret(KEY) != KEY
        assert len({Secret(KEY), Secret(KEY)}) == 1


class TestReading:
    def test_nothing_is_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert read_key("MY_KEY") is None
        monkeypatch.setenv("MY_KEY", "  ")
        assert read_key("MY_KEY") is None

    def test_the_variable_holds_the_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_KEY", f" {KEY}\n")
        assert read_key("MY_KEY") == Secret(KEY)

    def test_its_twin_names_a_file_that_does(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(f"{KEY}\n")
        monkeypatch.setenv("MY_KEY_FILE", str(tmp_path / "key"))
        assert read_key("MY_KEY") == Secret(KEY)

    def test_the_variable_goes_before_the_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("MY_KEY", KEY)
        monkeypatch.setenv("MY_KEY_FILE", str(tmp_path / "nothere"))
        assert read_key("MY_KEY") == Secret(KEY)

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [(None, "No such file"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "not text")],
    )
    def test_a_file_that_holds_no_key_is_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, complaint: str
    ) -> None:
        path = tmp_path / "key"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setenv("MY_KEY_FILE", str(path))
        with pytest.raises(MissingKeyError, match=complaint) as caught:
            read_key("MY_KEY")
        assert f"{path} (named by MY_KEY_FILE)" in str(caught.value)

    @pytest.mark.parametrize("value", [f"{KEY} x", f"{KEY}\r\nx-evil: 1", f"“{KEY}”", f"{KEY}\x07"])
    def test_what_cannot_be_sent_is_refused_without_being_shown(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("MY_KEY", value)
        with pytest.raises(MissingKeyError, match="MY_KEY is no API key") as caught:
            read_key("MY_KEY")
        assert KEY not in str(caught.value)


class TestRedacting:
    def test_takes_every_secret_out(self) -> None:
        assert redact(f"{KEY} and {KEY}, other", [Secret(KEY), Secret("other")]) == "*** and ***, ***"

    def test_leaves_dummies_alone(self) -> None:
        assert redact("an x in a text", [Secret("x"), Secret("")]) == "an x in a text"

    def test_knows_the_secrets_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ACME_API_KEY", "AWS_SECRET_ACCESS_KEY", "hf_token", "DB_PASSWORD"):
            monkeypatch.setenv(name, f"{KEY}-{name}")
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
        monkeypatch.setenv("HARMLESS", "nothing to hide")
        found = {secret.reveal() for secret in secrets_in_environment()}
        assert {f"{KEY}-ACME_API_KEY", f"{KEY}-AWS_SECRET_ACCESS_KEY", f"{KEY}-hf_token", f"{KEY}-DB_PASSWORD"} <= found
        assert not {"false", "nothing to hide"} & found
