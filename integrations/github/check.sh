#!/usr/bin/env bash
# The second step of action.yml: turns its inputs (ARCHCHECK_…) into a run.
set -euo pipefail

fail() {
    printf '::error title=kubectl archcheck::%s\n' "$*"
    echo 'exit-code=3' >>"${GITHUB_OUTPUT:-/dev/null}"
    exit 3
}

# Lines of $1 that are not blank, as the array `lines`.
lines=()
split_lines() {
    lines=()
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        line="${line%$'\r'}"
        [ -z "${line//[[:space:]]/}" ] || lines+=("$line")
    done <<<"$1"
}

is_true() { # NAME VALUE
    case "$2" in
        true) return 0 ;;
        false | '') return 1 ;;
        *) fail "the input $1 is \"$2\": it must be true or false" ;;
    esac
}

work="${RUNNER_TEMP:-/tmp}/kubectl-archcheck.$$"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

args=()
given=0
split_lines "${ARCHCHECK_MANIFESTS:-}"
if [ "${#lines[@]}" -gt 0 ]; then
    given=$((given + 1))
    # One flag each: a comma would separate names.
    for source in "${lines[@]}"; do args+=(-f "$source"); done
    if is_true recursive "${ARCHCHECK_RECURSIVE:-}"; then args+=(-R); fi
fi
if [ -n "${ARCHCHECK_KUSTOMIZE:-}" ]; then
    given=$((given + 1))
    args+=(-k "$ARCHCHECK_KUSTOMIZE")
fi
input=/dev/null
split_lines "${ARCHCHECK_HELM:-}"
if [ "${#lines[@]}" -gt 0 ]; then
    given=$((given + 1))
    charts=("${lines[@]}")
    split_lines "${ARCHCHECK_HELM_ARGS:-}"
    input="$work/rendered.yaml"
    : >"$input"
    for chart in "${charts[@]}"; do
        helm template "$chart" ${lines[@]+"${lines[@]}"} >>"$input" || fail "helm template $chart failed"
    done
    args+=(-f -)
fi
[ "$given" -eq 1 ] || fail 'give one of the inputs manifests, kustomize and helm'

for platform in ${ARCHCHECK_PLATFORMS:-}; do args+=(--platform "$platform"); done
args+=(--fail-on "${ARCHCHECK_FAIL_ON:-at-risk}")
if is_true allow-unknown "${ARCHCHECK_ALLOW_UNKNOWN:-}"; then args+=(--allow-unknown); fi
if ! is_true annotations "${ARCHCHECK_ANNOTATIONS:-true}"; then args+=(--no-annotations); fi
if [ -n "${ARCHCHECK_CONFIG:-}" ]; then args+=(--config "$ARCHCHECK_CONFIG"); fi
if [ -n "${ARCHCHECK_BASELINE:-}" ]; then args+=(--baseline "$ARCHCHECK_BASELINE"); fi
if [ -n "${ARCHCHECK_SARIF:-}" ]; then args+=(-o "sarif=$ARCHCHECK_SARIF"); fi
split_lines "${ARCHCHECK_ARGS:-}"

# Annotations and the job summary for GitHub, then the table for who reads the log.
code=0
kubectl-archcheck "${args[@]}" ${lines[@]+"${lines[@]}"} -o github -o "table=$work/table" <"$input" || code=$?
if [ -f "$work/table" ]; then cat "$work/table"; fi
echo "exit-code=$code" >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
