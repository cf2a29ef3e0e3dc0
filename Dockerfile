# The agent in a container: no root, no capability, nothing written outside /var/lib/edge-agent. Tools that come with libraries,
# some of which can write to machines, are left out. `make image` builds it without a Docker daemon as well.
#
#   docker build -t edge-agent .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#       -v ./config.yaml:/etc/edge-agent/config.yaml:ro -v edge-agent:/var/lib/edge-agent edge-agent
#
# A serial line needs the device and its group as well: --device /dev/ttyUSB0 --group-add dialout

ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements requirements
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.lock \
    && python3 -m venv /opt/edge-agent \
    && /opt/edge-agent/bin/pip install --no-cache-dir --require-hashes -r requirements/gateway.lock
COPY pyproject.toml README.md LICENSE ./
COPY edge_agent edge_agent
COPY drivers drivers
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/edge-agent/bin/pip install --no-deps /wheels/*.whl \
    && /opt/edge-agent/bin/pip uninstall --yes pip \
    && find /opt/edge-agent/bin -mindepth 1 ! -name 'python*' ! -name edge-agent -delete \
    && mkdir /data

FROM ${BASE}
COPY --from=build /opt/edge-agent /opt/edge-agent
COPY --from=build --chown=10001:10001 /data /var/lib/edge-agent
ENV PATH=/opt/edge-agent/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /var/lib/edge-agent
# `status` asks the running agent through its socket, which lies beside the buffer.
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s CMD ["edge-agent", "status", "--json"]
ENTRYPOINT ["edge-agent"]
CMD ["run"]
