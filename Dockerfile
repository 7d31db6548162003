# syntax=docker/dockerfile:1
# Deskhand runs from its checkout, so the image is the checkout and the .venv that its own root script makes from the
# hashed lock. A mirror for packages: `docker build --secret id=pip,src=pip.conf --secret id=uv,src=uv.toml .`

FROM python:3.12-slim-bookworm AS base
# httpx2 trusts the system's certificates; commits are read with git.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/deskhand deskhand \
    && install --directory --owner deskhand --group deskhand --mode 0700 /var/lib/deskhand
WORKDIR /opt/deskhand
# The lock first: a change of code alone does not fetch packages again.
COPY deskhand requirements.lock ./
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=uv,target=/etc/uv/uv.toml \
    mkdir workers && echo 'pass' > workers/__main__.py && UV_LINK_MODE=copy ./deskhand && rm -r workers
COPY . .
RUN .venv/bin/python -m compileall -q workflows memory tools agents workers
ENV DESKHAND_HOME=/var/lib/deskhand \
    XDG_CACHE_HOME=/var/lib/deskhand/cache \
    PYTHONDONTWRITEBYTECODE=1
VOLUME /var/lib/deskhand
USER 10001:10001
# Healthy: the running service answers at the socket it wrote down.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["/opt/deskhand/.venv/bin/python", "-I", "-S", "-c", "import json, os, socket; at = json.load(open(os.environ['DESKHAND_HOME'] + '/service.json')); socket.socket(socket.AF_UNIX).connect(at['socket'])"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/deskhand/deskhand"]
CMD ["up"]

# For docker-compose.yml, where Temporal is a service of its own.
FROM base AS worker

# The default: with the Temporal CLI for the embedded server, built as workers/temporal/temporal_cli.py builds it.
FROM golang:1.25-bookworm AS cli
RUN GOBIN=/out CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOTOOLCHAIN=local \
    go install -trimpath -ldflags='-s -w' github.com/temporalio/cli/cmd/temporal@v1.5.1

FROM base AS alone
COPY --from=cli /out/temporal /usr/local/bin/temporal
