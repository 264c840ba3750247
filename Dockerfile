# One image for all programs; docker-compose.ssl.yml says which one each container runs.

FROM node:20-slim AS libraries
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements-server.lock ./
# pip stays outside the environment: a server installs nothing.
RUN python3 -m venv --without-pip /venv \
 && python3 -m pip --python /venv/bin/python install --quiet --no-cache-dir --disable-pip-version-check \
    --require-hashes -r requirements-server.lock \
 # Babel brings the customs of 700 languages; we speak two.
 && find /venv -path '*/babel/locale-data/*' ! -name 'ru*' ! -name 'en*' ! -name 'root*' -delete
COPY . .
COPY --from=libraries /app/node_modules node_modules
RUN /venv/bin/python -m infra.frontend --fetched && rm -r node_modules requirements-server.lock \
 && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home streamcash
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    BIND_HOST=0.0.0.0 DATA_DIR=/tmp/streamcash ALIVE_FILE=/tmp/alive
USER streamcash
CMD ["python", "-m", "web"]
