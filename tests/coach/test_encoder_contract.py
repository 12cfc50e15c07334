"""What every encoder promises, run on the bundled one and on the one of the tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from coach.encoder import Encoder, SentenceTransformerEncoder
from common.errors import InvalidInput, Unavailable


@pytest.fixture(params=["encoder", "bundled_encoder"])
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


def test_the_bundled_encoder_puts_paraphrases_nearer_than_other_topics(bundled_encoder: Encoder) -> None:
    price, paraphrase, other = bundled_encoder.encode_queries(
        ["that costs too much", "it is way too expensive", "the train leaves at noon"]
    )
    assert price @ paraphrase > price @ other + 0.3


def test_prompts_and_truncation_change_the_fingerprint(bundled_encoder: Encoder) -> None:
    short = SentenceTransformerEncoder(truncate_dim=64, query_prompt="query: ")
    assert short.dimension == 64
    assert short.fingerprint() != bundled_encoder.fingerprint()
    assert not np.allclose(short.encode_queries(["price"]), short.encode_documents(["price"]))


def test_an_encoder_that_cannot_be_loaded_is_unavailable_and_says_which(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("broken")
    with pytest.raises(Unavailable, match=str(tmp_path)) as caught:
        SentenceTransformerEncoder(tmp_path)
    assert "无法加载" in caught.value.text.zh


def test_a_dimension_below_one_is_refused() -> None:
    with pytest.raises(InvalidInput):
        SentenceTransformerEncoder(truncate_dim=0)
