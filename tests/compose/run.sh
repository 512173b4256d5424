#!/usr/bin/env bash
# Builds the images, starts docker-compose.yml as it is, tells the demo's story against it (the parts are killed inside
# their containers, and brought back by the restart policy), and takes everything down again.
# Needs Docker with Compose, and an installed rollplane command: $ROLLPLANE, by default the one in .venv.
set -euo pipefail
cd "$(dirname "$0")/../.."

ROLLPLANE=${ROLLPLANE:-.venv/bin/rollplane}
SECONDS_TO_HEALTH=120

compose() {
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

export COMPOSE_PROJECT_NAME="rollplane-test-$$"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ROLLPLANE_PORT=$(free_port)
ROLLPLANE_REST_PORT=$(free_port)
export ROLLPLANE_PORT ROLLPLANE_REST_PORT # free ones, the same after a restart

finish() {
    local code=$?
    trap - EXIT
    if [ "$code" != 0 ]; then
        compose ps || true
        compose logs --no-color --tail=40 || true
    fi
    compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

all_healthy() {
    local states
    states=$(docker inspect --format '{{.State.Health.Status}}' $(compose ps -q))
    [ "$(grep -c '^healthy$' <<<"$states")" = 6 ]
}

compose build --quiet
compose up -d
deadline=$((SECONDS + SECONDS_TO_HEALTH))
until all_healthy; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "not all services are healthy after $SECONDS_TO_HEALTH s" >&2; exit 1; }
    sleep 1
done
echo "All six services are healthy."

for service in redis apiserver gateway controller kubelet-sim-0 kubelet-sim-1; do
    [ "$(compose exec -T "$service" id -u)" != 0 ] || { echo "$service runs as root" >&2; exit 1; }
done

[ "$(python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:$ROLLPLANE_REST_PORT/readyz').read().decode())")" = ok ] || {
    echo "the gateway does not serve" >&2
    exit 1
}

[ "$(compose exec -T redis redis-cli config get appendfsync | tail -1)" = always ] || {
    echo "redis acknowledges what is not on disk" >&2
    exit 1
}

# Every process of the container but its init, which ends with them; the restart policy begins anew. (What `docker kill`
# ends stays ended.) The shell that kills dies as well, so its exit code says nothing.
killing() {
    echo "$1=docker exec $(compose ps -q "$1") sh -c 'kill -9 -1' || true"
}

"$ROLLPLANE" demo --server "127.0.0.1:$ROLLPLANE_PORT" \
    --kill "$(killing controller)" --kill "$(killing apiserver)" --kill "$(killing redis)"
