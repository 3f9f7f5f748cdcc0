# Keepsight: one file, two images. `web` (control plane, not root) and `node` (engine and agent).
#   docker build --target web -t keepsight-web .    docker build --target node -t keepsight-node .
# The base images can be replaced: for a mirror, for a trial without a registry, or by the same images
# pinned to their digests (docker/pin writes them into .env). Node builds the front end only.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG ASSETS_IMAGE=node:24-bookworm-slim

FROM ${ASSETS_IMAGE} AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY static static
RUN npm run build

FROM ${PYTHON_IMAGE} AS python-web
COPY requirements/web.txt /tmp/
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/web.txt

FROM ${PYTHON_IMAGE} AS python-node
COPY requirements/node.txt /tmp/
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/node.txt

FROM ${PYTHON_IMAGE} AS web
RUN useradd --system --uid 10001 --home-dir /data keepsight \
    && install -d -o keepsight -g keepsight -m 0700 /data /enrolment /enrolment/NodeA /enrolment/NodeB
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=webapp.settings KEEPSIGHT_DATA_DIR=/data
WORKDIR /app
COPY --from=python-web /venv /venv
COPY --from=assets /app/static static
COPY manage.py ./
COPY hanode hanode
COPY webapp webapp
COPY templates templates
COPY docker docker
RUN ln -s /app/manage.py /usr/local/bin/keepsight \
    && KEEPSIGHT_DATA_DIR=/tmp/collect keepsight collectstatic --noinput --ignore=src >/dev/null \
    && rm -rf /tmp/collect
USER keepsight
EXPOSE 8000
CMD ["uvicorn", "webapp.asgi:application", "--host", "0.0.0.0", "--port", "8000"]

FROM ${PYTHON_IMAGE} AS node
# Whom pushed scripts run as; as root only if a policy.toml in /etc/hanode says so (docs/POLICY.md).
RUN useradd --system --no-create-home --shell /usr/sbin/nologin keepalived_script \
    && install -d -m 0700 /etc/hanode
RUN command -v ip >/dev/null || (apt-get update && apt-get install -y --no-install-recommends iproute2 \
    && rm -rf /var/lib/apt/lists/*)
ENV PATH=/app/bin:/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=python-node /venv /venv
COPY hanode hanode
COPY bin/hanode bin/hanode
COPY docker docker
ENTRYPOINT ["/bin/sh", "/app/docker/node-entrypoint"]
