"""A real MCP server, made with the server side of the same package: over its pipes, or over HTTP on loopback.

python tests/servers/crm.py stdio MODE        MODE: good, hang, die, flood, lie, shout, child
python tests/servers/crm.py http MODE PORT
"""

import os
import subprocess
import sys
import time
from typing import Literal


def serve(way: str, mode: str, port: int = 0) -> None:
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("crm")

    @server.tool()
    def search_notes(query: str, newest: bool = True, size: int = 5, kind: Literal["note", "call"] = "note") -> str:
        """Notes about a client that have to do with the query."""
        if mode == "hang":
            time.sleep(3600)
        if mode == "die":
            os._exit(1)
        if mode == "flood":
            return "A" * 5_000_000
        if mode == "fail":
            raise ValueError("the secret of the server")
        if mode == "child":
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", os.environ["MARK"]])
            time.sleep(3600)
        return f"{query} has 12 employees ({kind}, {size}, {newest}, {os.environ.get('CRM_TOKEN', '')})."

    @server.tool()
    def add_note(text: str) -> str:
        """Keep a note."""
        raise AssertionError(f"nobody may call this: {text}")

    if way == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=port)


if __name__ == "__main__":
    if sys.argv[2] == "shout":  # before a word was asked
        while True:
            sys.stdout.write("A" * 100_000)
    if sys.argv[2] == "deaf":
        time.sleep(3600)
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
