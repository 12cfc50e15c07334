"""What every encoder promises: the embedded one, a sentence-transformers model, and the one of the tests."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from api.services import make_encoder
from api.settings import Settings
from coach.embedded_encoder import EmbeddedEncoder
from coach.encoder import Encoder, SentenceTransformerEncoder
from common.errors import InvalidInput, Unavailable


@pytest.fixture(params=["encoder", "embedded_encoder", "sentence_encoder"])
def any_encoder(request: pytest.FixtureRequest) -> Encoder:
    found: Encoder = request.getfixturevalue(request.param)
    return found


def test_vectors_are_float32_unit_rows_of_the_dimension(any_encoder: Encoder) -> None:
    for encode in (any_encoder.encode_queries, any_encoder.encode_documents):
        vectors = encode(["too expensive", "太贵了", "a"])
        assert vectors.shape == (3, any_encoder.dimension)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(any_encoder: Encoder) -> None:
    assert any_encoder.encode_queries([]).shape == (0, any_encoder.dimension)


def test_equal_texts_get_equal_vectors_whatever_stands_beside_them(any_encoder: Encoder) -> None:
    alone = any_encoder.encode_queries(["太贵了"])[0]
    beside = any_encoder.encode_queries(["a much longer text about delivery next week", "太贵了"])[1]
    assert np.allclose(alone, beside, atol=1e-5)


def test_it_has_a_name_and_a_fingerprint_that_stays(any_encoder: Encoder) -> None:
    before = any_encoder.fingerprint()
    any_encoder.encode_queries(["a text long enough to change the padding of the next batch"])
    assert any_encoder.fingerprint() == before != ""
    assert any_encoder.name


def test_many_threads_may_encode_at_once(any_encoder: Encoder) -> None:
    texts = [f"number {n} " * (n % 5 + 1) for n in range(24)]
    alone = [any_encoder.encode_queries([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: any_encoder.encode_queries([text])[0], texts))
    assert np.allclose(alone, together, atol=1e-5)


@pytest.mark.parametrize("name", ["embedded_encoder", "sentence_encoder"])
def test_a_real_encoder_puts_paraphrases_nearer_than_other_topics(name: str, request: pytest.FixtureRequest) -> None:
    encoder: Encoder = request.getfixturevalue(name)
    price, paraphrase, other = encoder.encode_queries(
        ["that costs too much", "it is way too expensive", "the train leaves at noon"]
    )
    assert price @ paraphrase > price @ other + 0.3


def test_the_embedded_encoder_puts_translations_nearer_than_other_sentences(embedded_encoder: EmbeddedEncoder) -> None:
    chinese = embedded_encoder.encode_queries(["这个太贵了", "我明天去北京", "你喜欢猫吗", "他在医院上班"])
    english = embedded_encoder.encode_queries(
        ["this is too expensive", "i am going to beijing tomorrow", "do you like cats", "he works in a hospital"]
    )
    assert (chinese @ english.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_the_embedded_encoder_is_a_static_embedding_of_sentence_transformers(embedded_encoder: EmbeddedEncoder) -> None:
    texts = ["太贵了", "the price is too high", "能分期吗?", "unheardofword", ""]
    theirs = embedded_encoder.to_sentence_transformer().encode(texts[:4], convert_to_numpy=True)
    assert np.allclose(theirs, embedded_encoder.encode_documents(texts[:4]), atol=1e-4)
    assert np.isfinite(embedded_encoder.encode_documents(texts)).all()


def test_the_embedded_encoder_stays_within_its_17_megabytes_and_loads_without_torch() -> None:
    folder = files("coach") / "embedded"
    assert sum(len(each.read_bytes()) for each in folder.iterdir() if each.is_file()) <= 17_000_000
    code = "import sys; from coach.embedded_encoder import EmbeddedEncoder; EmbeddedEncoder().encode_queries(['a']); "
    code += "print({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_a_damaged_or_missing_embedded_encoder_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        EmbeddedEncoder(tmp_path)
    for each in (files("coach") / "embedded").iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    table = tmp_path / "table.npz"
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    with pytest.raises(Unavailable, match=r"table\.npz"):
        EmbeddedEncoder(tmp_path)


def test_prompts_and_truncation_change_the_fingerprint(sentence_encoder: SentenceTransformerEncoder) -> None:
    short = SentenceTransformerEncoder(sentence_encoder.name, truncate_dim=64, query_prompt="query: ")
    assert short.dimension == 64
    assert short.fingerprint() != sentence_encoder.fingerprint()
    assert not np.allclose(short.encode_queries(["price"]), short.encode_documents(["price"]))


def test_an_encoder_that_cannot_be_loaded_is_unavailable_and_says_which(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("broken")
    with pytest.raises(Unavailable, match=str(tmp_path)) as caught:
        SentenceTransformerEncoder(tmp_path)
    assert "无法加载" in caught.value.text.zh


def test_a_dimension_below_one_is_refused() -> None:
    with pytest.raises(InvalidInput):
        SentenceTransformerEncoder("any", truncate_dim=0)


def test_a_configured_encoder_that_cannot_be_loaded_is_logged_once_and_the_embedded_one_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, embedded_encoder: EmbeddedEncoder
) -> None:
    found = make_encoder(Settings(encoder=str(tmp_path / "nowhere")))
    assert found.fingerprint() == embedded_encoder.fingerprint()
    assert [str(tmp_path / "nowhere") in record.getMessage() for record in caplog.records] == [True]
