"""Texts to vectors: hashed words and letters by default, or an OpenAI-compatible endpoint.

The hashing vectors need no model, no download and no randomness: the same text gives the same vector on every machine.
They know spelling, not meaning, so they find what shares words, word parts and a small table of business terms.
"""

import asyncio
import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from memory.journal import SpendStopped
from memory.model.concepts import concept_of
from memory.model.endpoint import http_client
from workflows.errors import Retryable
from workflows.rules.text.composed import composed
from workflows.rules.text.language import small_words
from workflows.rules.text.redaction import redact

if TYPE_CHECKING:
    import httpx2

DIMENSIONS = 384
_WORD = re.compile(r"[^\W_]+")
_STEM = 5
_GRAM = 4
_SECONDS = 15.0  # of one batch in all: below the 20 s that a step of the memory queue has
_BATCH = 64
_MOST_BYTES = 16_000_000  # 64 vectors of 4,096 numbers as JSON have about 6 MB
_LONGEST_INPUT = 8000


class EmbeddingFailed(Retryable):
    """The endpoint gave no vectors; keyword search goes on without them."""


class Embedder(Protocol):
    """Gives each text a unit vector. `name` changes whenever old and new vectors cannot be compared."""

    @property
    def name(self) -> str:
        """What made the vectors, kept beside them."""

    @property
    def floor(self) -> float:
        """The cosine below which two texts have nothing to do with each other."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit vector for each text, all of one length. Raises EmbeddingFailed."""


def folded(text: str) -> list[str]:
    """The words of a text in lower case without accents, small words left out."""
    plain = composed("NFKD", text.lower().replace("ß", "ss"))
    words = _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    return [word for word in words if word not in _small()]


class HashingEmbedder:
    """The default: 384 dimensions, signed feature hashing of words, stems, letter 4-grams, word pairs and concepts."""

    name = f"hashing-{DIMENSIONS}-v1"
    floor = 0.12

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [_hashed(text) for text in texts]


def _uncounted(tokens: int) -> None:
    """No cap on what is asked."""


class EndpointEmbedder:
    """`POST <base_url>/embeddings` of any OpenAI-compatible server; the vectors' length is learnt from its answer.

    Through the client of the language model's door: no proxy of the environment, bounded answers, no redirect; account
    numbers and secrets are cut out of every text, and each batch ends within `_SECONDS` in all.
    """

    floor = 0.3

    def __init__(
        self,
        base_url: str,
        name: str,
        api_key: str = "",
        charge: Callable[[int], None] = _uncounted,
        seconds: float = _SECONDS,
    ) -> None:
        """`charge` is told how many tokens a batch has at most, before it is asked; it raises SpendStopped.

        `seconds`: how long one batch may take in all.
        """
        self._url = base_url.rstrip("/") + "/embeddings"
        self._model = name
        self._api_key = api_key
        self._charge = charge
        self._seconds = seconds
        self.name = f"{self._url} {name}"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _BATCH):
            vectors += self._ask([_as_it_may_leave(text) for text in texts[start : start + _BATCH]])
        return vectors

    def _ask(self, texts: list[str]) -> list[list[float]]:
        import httpx2

        try:
            self._charge(sum(len(text.encode()) // 3 + 1 for text in texts))
            # A loop of its own in a thread of its own: the deadline holds for the whole call, whoever calls.
            with ThreadPoolExecutor(1) as alone:
                answer = alone.submit(asyncio.run, self._post(texts)).result()
            answer.raise_for_status()
            return _read_vectors(answer.json(), len(texts))
        except SpendStopped as stop:
            raise EmbeddingFailed(f"{stop} Until then memory is searched by keywords alone.") from stop
        except TimeoutError as error:
            raise self._failed(f"it gave no answer within {self._seconds:.0f} s") from error
        except httpx2.HTTPStatusError as error:
            raise self._failed(f"it answered {error.response.status_code}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._failed(f"it cannot be reached ({type(error).__name__})") from error
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise self._failed("its answer is not a list of vectors") from error

    async def _post(self, texts: list[str]) -> "httpx2.Response":
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        async with asyncio.timeout(self._seconds), http_client(most_bytes=_MOST_BYTES) as client:
            return await client.post(self._url, json={"model": self._model, "input": texts}, headers=headers)

    def _failed(self, what: str) -> EmbeddingFailed:
        return EmbeddingFailed(
            f"The embedding endpoint {self._url} failed: {what}. Check [embeddings] in the settings; "
            "until then memory is searched by keywords alone."
        )


def _as_it_may_leave(text: str) -> str:
    """Bounded, encodable, nothing secret in it; never empty, which some servers refuse."""
    return redact(text[:_LONGEST_INPUT].encode("utf-8", "replace").decode()) or " "


def _read_vectors(answer: Any, count: int) -> list[list[float]]:
    rows = sorted(answer["data"], key=lambda row: int(row["index"]))
    vectors = [_unit([float(value) for value in row["embedding"]]) for row in rows]
    if len(vectors) != count or len({len(vector) for vector in vectors}) != 1:
        raise ValueError("not one vector for each text")
    return vectors


def _unit(values: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(value * value for value in values))
    if not math.isfinite(length) or length == 0.0:
        raise ValueError("a vector without a direction")
    return [value / length for value in values]


def _hashed(text: str) -> list[float]:
    features: Counter[str] = Counter()
    weights: dict[str, float] = {}
    words = folded(text)
    for word in words:
        for feature, weight in _features(word):
            features[feature] += 1
            weights[feature] = weight
    for pair in pairwise(words):
        feature = "p:" + " ".join(pair)
        features[feature] += 1
        weights[feature] = 0.5
    values = [0.0] * DIMENSIONS
    for feature, count in features.items():
        place, sign = _place(feature)
        values[place] += sign * weights[feature] * (1.0 + math.log(count))
    return _unit(values) if any(values) else [1.0, *([0.0] * (DIMENSIONS - 1))]


@cache
def _small() -> frozenset[str]:
    """The small words, as they look without accents."""
    bare = composed("NFKD", " ".join(small_words()).replace("ß", "ss"))
    return frozenset("".join(letter for letter in bare if not unicodedata.combining(letter)).split())


def _features(word: str) -> list[tuple[str, float]]:
    features = [("w:" + word, 1.0)]
    if len(word) > _STEM:
        features.append(("s:" + word[:_STEM], 0.8))
    concept = concept_of(word)
    if concept:
        features.append(("c:" + concept, 1.5))
    edged = f"<{word}>"
    grams = [edged[start : start + _GRAM] for start in range(len(edged) - _GRAM + 1)]
    share = 1.0 / math.sqrt(max(len(grams), 1))  # so that a long word does not outweigh a short one
    return features + [("g:" + gram, 0.6 * share) for gram in grams]


def _place(feature: str) -> tuple[int, float]:
    # crc32, not hash(): Python's own is salted anew in each process.
    code = zlib.crc32(feature.encode())
    return code % DIMENSIONS, 1.0 if code >> 31 else -1.0
