"""Temporal's time-skipping test server: days pass in a moment. Had by the SDK's own download or from Maven Central.

The server is a Java program; where Maven builds it, a runtime and Maven must be there (`.ci/run` installs both).
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from workers.settings.environ import cache_folder

VERSION = "1.38.0"
DOWNLOAD_LIMIT = 60.0
BUILD_LIMIT = 600.0
STARTS_WITHIN = timedelta(seconds=120)
"""A busy machine takes half a minute for a Java program; the SDK's own five seconds are for an idle one."""
MOST_TRIES = 3
"""Another program may take the port that was free a moment ago."""
FLAGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""For a server that starts fast and lives for a minute."""
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>deskhand</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>{VERSION}</version>
  </dependency></dependencies>
</project>
"""


@contextlib.asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A running time-skipping server and its client, payloads as plain pydantic JSON."""
    environment = await _start()
    try:
        yield environment
    finally:
        await environment.shutdown()


async def _start() -> WorkflowEnvironment:
    folder = cache_folder() / f"test-server-{VERSION}"
    program = folder / "serve"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            async with asyncio.timeout(DOWNLOAD_LIMIT):
                return await WorkflowEnvironment.start_time_skipping(
                    data_converter=pydantic_data_converter,
                    download_dest_dir=str(folder),
                    test_server_startup_timeout=STARTS_WITHIN,
                )
        except (RuntimeError, TimeoutError):
            await asyncio.to_thread(_build, folder)
    for _ in range(MOST_TRIES - 1):
        with contextlib.suppress(RuntimeError):
            return await _started(program)
    return await _started(program)


async def _started(program: Path) -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter,
        test_server_existing_path=str(program),
        test_server_startup_timeout=STARTS_WITHIN,
    )


def _build(folder: Path) -> None:
    """Fetch the jars with Maven, then put a wrapper beside them; whoever comes second finds it done."""
    with _alone(folder):
        if (folder / "serve").exists():
            return
        java, maven = _program("java", "default-jre-headless"), _program("mvn", "maven")
        with tempfile.TemporaryDirectory(dir=folder) as work:
            (Path(work) / "pom.xml").write_text(POM)
            command = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}"]
            done = subprocess.run(
                command, cwd=work, capture_output=True, text=True, timeout=BUILD_LIMIT, check=False
            )  # fmt: skip
        if done.returncode:
            pytest.exit(f"Maven could not fetch the Temporal test server:\n{done.stdout}{done.stderr}", returncode=2)
        fresh = folder / "serve.part"
        serve = f'exec "{java}" {FLAGS} -cp "{folder}/lib/*" io.temporal.testserver.TestServer "$@"'
        fresh.write_text(f"#!/bin/sh\n{serve}\n")
        fresh.chmod(0o755)
        fresh.replace(folder / "serve")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.exit(f"The time-skipping tests need {name}: apt-get install {package}", returncode=2)
    return found
