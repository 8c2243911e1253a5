#!/usr/bin/env bash
# The hook of .pre-commit-hooks.yaml. pre-commit gives its `args` first and the changed files last: the files are those
# behind `--`, else the last arguments that are files.
set -euo pipefail

arguments=("$@")
first_file=$#
for at in "${!arguments[@]}"; do
    if [ "${arguments[at]}" = -- ]; then
        unset 'arguments[at]'
        arguments=("${arguments[@]}")
        first_file=$at
        break
    fi
done
if [ "$first_file" -eq $# ]; then
    while [ "$first_file" -gt 0 ] && [ -f "${arguments[first_file - 1]}" ]; do
        first_file=$((first_file - 1))
    done
fi

if ! command -v kubectl-archcheck >/dev/null 2>&1; then
    echo 'kubectl-archcheck is not on the PATH: install it first (kubectl krew install archcheck)' >&2
    exit 3
fi
flags=("${arguments[@]:0:first_file}")
for file in "${arguments[@]:first_file}"; do
    flags+=(-f "$file")
done
exec kubectl-archcheck "${flags[@]}"
