#!/usr/bin/env bash
# Rehearse a change: what runs is FOLDER at the commit BASE, what is to run is FOLDER as it lies here.
#
#   rehearse.sh BASE FOLDER OUT [flags of rollplane rehearse …]
#
# FOLDER holds a Helm chart, a kustomization, or manifests. OUT gets report.md, report.html, junit.xml and report.txt. The
# exit code is that of the rehearsal: 0 all was kept, 1 something was broken, 2 it could not be rehearsed, and report.md
# and junit.xml say why. A chart needs helm here, a kustomization kustomize or kubectl.
set -euo pipefail
base=$1 folder=$2 out=$3
shift 3

# Print the manifests of a folder, whatever it is; nothing for one that is not there yet.
render() {
    if [ -e "$1/Chart.yaml" ]; then
        helm template release "$1"
    elif [ -e "$1/kustomization.yaml" ] || [ -e "$1/kustomization.yml" ]; then
        if command -v kustomize >/dev/null; then kustomize build "$1"; else kubectl kustomize "$1"; fi
    elif [ -d "$1" ]; then
        find "$1" -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) -print0 | sort -z |
            xargs -0 -r -n 1 sh -c 'echo "--- # $0" && cat "$0"'
    fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/base"
rm -f "$out/report.md" "$out/report.html" "$out/junit.xml" "$out/report.txt"

rehearse() {
    git archive "$base" | tar -x -C "$work/base" &&
        render "$work/base/$folder" >"$work/before.yaml" &&
        render "$folder" >"$work/after.yaml" || return 2
    rollplane rehearse --title "$folder" --before "$work/before.yaml" --after "$work/after.yaml" \
        --report "$out/report.md" --report "$out/report.html" --report "$out/junit.xml" "$@" >"$out/report.txt"
}

code=0
rehearse "$@" 2>"$work/errors" || code=$?
cat "$work/errors" >&2
if [ "$code" -gt 1 ] || [ ! -s "$out/report.md" ] || [ ! -s "$out/junit.xml" ]; then
    code=2
    { echo "### ⚠️ \`$folder\` could not be rehearsed" && sed 's/^/    /' "$work/errors"; } >"$out/report.md"
    {
        echo '<testsuite name="rehearse" tests="1" errors="1"><testcase name="could be rehearsed"><error>'
        tr -d '\000-\010\013-\037' <"$work/errors" | sed 's/&/\&amp;/g; s/</\&lt;/g'
        echo '</error></testcase></testsuite>'
    } >"$out/junit.xml"
else
    cat "$out/report.txt"
fi
exit "$code"
