"""Tooling in the settings: [tools], how much a draft may look up, and [mcp.NAME], by whose tools."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from tools.mcp import McpServer
from workers.settings.secrets import secret_of
from workers.settings.servers import Section
from workers.settings.values import Words, or_empty, web_address, whole_number, wrong


class ToolsSection(Section):
    """How much one draft may look up."""

    rounds: Annotated[int, whole_number, Field(ge=0, le=8)] = 4
    calls: Annotated[int, whole_number, Field(ge=0, le=20)] = 6
    seconds: Annotated[float, Field(ge=0, le=60)] = 30.0


class McpSection(Section):
    """One `[mcp.NAME]`: a server whose tools a draft may be looked up by, each with what it may."""

    command: Words = ()
    address: Annotated[str, or_empty(web_address)] = ""
    token: SecretStr = SecretStr("")
    token_file: str = ""
    env: dict[str, SecretStr] = Field(default_factory=dict)
    tools: dict[str, Literal["read", "write", "send", ""]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _reached_one_way(self) -> Self:
        if bool(self.command) == bool(self.address):
            raise wrong('a server with a command, such as ["uvx", "crm-mcp"], or with an address, and not with both')
        return self


def servers_of(sections: Mapping[str, McpSection], home: Path) -> tuple[McpServer, ...]:
    """Every server of [mcp.NAME], its token read.

    Raises:
        NeedsOwner: a token's file cannot be read or is open to others.
    """
    return tuple(
        McpServer(
            name=name,
            tools={tool: permission for tool, permission in section.tools.items() if permission},
            command=section.command,
            address=section.address,
            token=secret_of(home, f"mcp.{name}", "token", section),
            environment={variable: value.get_secret_value() for variable, value in section.env.items()},
            folder=home,
        )
        for name, section in sections.items()
    )
