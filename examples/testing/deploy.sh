#!/usr/bin/env bash
# deploy.sh IMAGE: rolls web out, and back when that fails.
set -euo pipefail
cd "$(dirname "$0")"

sed "s|web:1|$1|" web.yaml | kubectl apply -f -
if ! kubectl rollout status deployment/web --timeout=10m; then
    kubectl rollout undo deployment/web
    kubectl rollout status deployment/web --timeout=10m
    exit 1
fi
