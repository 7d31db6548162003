"""What lies in Temporal is encrypted: AES-GCM, one key per case, so that `forget` can destroy what it said.

Each payload names its key and is bound to its workflow: the associated data are the key's name, the workflow's id and,
for what an activity is given and gives back, the activity's type. A ciphertext that somebody carries to another
workflow or another step does not open there. Decoding never raises: a codec that raises wedges its workflow for good. A
payload that is foreign, plain, damaged, out of its place or whose key was destroyed becomes one with an encoding that
no converter knows, so an update with it is refused, a signal with it is dropped, and the case goes on.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
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

from workflows.names import case_of, configured

ENCODING = b"binary/deskhand-2"
UNBOUND = b"binary/deskhand-1"
"""As it was before payloads were bound to their workflow: read only in workflows that began then."""
UNREADABLE = b"binary/deskhand-unreadable"
HOME = "home"
_NONCE = 12


class KeyRing(Protocol):
    """Keys by name: "home" or "case-<n>"."""

    def key(self, name: str, *, make: bool = False) -> bytes:
        """32 bytes. Raises KeyError when there is none and it is not to be made."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload belongs: to a workflow, or to one kind of step in it."""

    workflow: str = ""
    step: str = ""

    @property
    def key(self) -> str:
        """The name of its key: the case's own for a case, the home's for everything else."""
        case = case_of(self.workflow)
        return f"case-{case}" if case else HOME

    def associated(self, key: str) -> bytes:
        return f"{key}\n{self.workflow}\n{self.step}".encode()


class Codec(PayloadCodec, WithSerializationContext):
    """Encrypts with the key of the workflow at hand, decrypts what belongs there.

    `carried`: the ids of the workflows that began before payloads were bound, and still run.
    """

    def __init__(self, keys: KeyRing, carried: Collection[str] = (), place: Place = Place()) -> None:
        self._keys = keys
        self._carried = carried
        self._place = place

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self._keys, self._carried, place(context))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        cipher = AESGCM(self._keys.key(self._place.key, make=True))
        return [self._encrypted(cipher, payload) for payload in payloads]

    def opens(self, workflow_id: str, payload: Payload, *, unbound: bool = False) -> bool:
        """Whether this payload of that workflow was made for it with our keys; `unbound`: also one of before."""
        carried = (configured(workflow_id),) if unbound else ()
        reader = type(self)(self._keys, carried, Place(configured(workflow_id)))
        return reader.decrypted(payload).metadata.get("encoding") != UNREADABLE

    def _encrypted(self, cipher: AESGCM, payload: Payload) -> Payload:
        nonce, name = os.urandom(_NONCE), self._place.key
        data = nonce + cipher.encrypt(nonce, payload.SerializeToString(), self._place.associated(name))
        return Payload(metadata={"encoding": ENCODING, "key": name.encode()}, data=data)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.decrypted(payload) for payload in payloads]

    def decrypted(self, payload: Payload) -> Payload:
        try:
            name = payload.metadata["key"].decode("ascii")
            cipher = AESGCM(self._keys.key(name))
            nonce, data = payload.data[:_NONCE], payload.data[_NONCE:]
            return Payload.FromString(cipher.decrypt(nonce, data, self._associated(payload, name)))
        except (KeyError, ValueError, InvalidTag, OSError):
            return Payload(metadata={"encoding": UNREADABLE})

    def _associated(self, payload: Payload, key: str) -> bytes:
        encoding = payload.metadata.get("encoding")
        if encoding == ENCODING:
            return self._place.associated(key)
        if encoding == UNBOUND and self._place.workflow in self._carried and key == self._place.key:
            return key.encode()
        raise ValueError("it belongs nowhere here")


def place(context: SerializationContext) -> Place:
    """Where what is at hand belongs. A run of a schedule reads what was encrypted under the schedule's own id."""
    match context:
        case ActivitySerializationContext():
            return Place(configured(context.workflow_id or ""), context.activity_type or "")
        case WorkflowSerializationContext():
            return Place(configured(context.workflow_id))
        case _:
            return Place()


def converter(keys: KeyRing, carried: Collection[str] = ()) -> DataConverter:
    """Pydantic JSON, encrypted; failure messages and stacks too."""
    return replace(
        pydantic_data_converter,
        payload_codec=Codec(keys, carried),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
