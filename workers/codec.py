"""What lies in Temporal is encrypted: AES-GCM, one key per case, so that `forget` can destroy what it said.

Each payload names its key. Decoding never raises: a codec that raises wedges its workflow for good. A payload that is
foreign, plain, damaged or whose key was destroyed becomes one with an encoding that no converter knows, so an update
with it is refused, a signal with it is dropped, and the case goes on.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

ENCODING = b"binary/deskhand-1"
UNREADABLE = b"binary/deskhand-unreadable"
HOME = "home"
_NONCE = 12


class KeyRing(Protocol):
    """Keys by name: "home" or "case-<n>"."""

    def key(self, name: str, *, make: bool = False) -> bytes:
        """32 bytes. Raises KeyError when there is none and it is not to be made."""


class Codec(PayloadCodec, WithSerializationContext):
    """Encrypts with the key of the workflow at hand, decrypts with the key the payload names."""

    def __init__(self, keys: KeyRing, name: str = HOME) -> None:
        self._keys = keys
        self._name = name

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self._keys, key_name(context))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        cipher = AESGCM(self._keys.key(self._name, make=True))
        return [self._encrypted(cipher, payload) for payload in payloads]

    def _encrypted(self, cipher: AESGCM, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE)
        name = self._name.encode()
        data = nonce + cipher.encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": ENCODING, "key": name}, data=data)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decrypted(payload) for payload in payloads]

    def _decrypted(self, payload: Payload) -> Payload:
        try:
            if payload.metadata.get("encoding") != ENCODING:
                return Payload(metadata={"encoding": UNREADABLE})
            name = payload.metadata["key"]
            cipher = AESGCM(self._keys.key(name.decode("ascii")))
            nonce, data = payload.data[:_NONCE], payload.data[_NONCE:]
            return Payload.FromString(cipher.decrypt(nonce, data, name))
        except (KeyError, ValueError, InvalidTag, OSError):
            return Payload(metadata={"encoding": UNREADABLE})


def key_name(context: SerializationContext) -> str:
    """Which key: the case's own for a case, the home's for everything else."""
    workflow_id = None
    if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
        workflow_id = context.workflow_id
    kind, _, number = (workflow_id or "").partition(":")
    return f"case-{number}" if kind == "case" and number.isascii() and number.isdigit() else HOME


def converter(keys: KeyRing) -> DataConverter:
    """Pydantic JSON, encrypted; failure messages and stacks too."""
    return replace(
        pydantic_data_converter,
        payload_codec=Codec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
