#!/usr/bin/env bash
# Passes every check that CI makes, after installing what they need: the one command for contributors and for .ci/run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

section_name=''
end_section() {
    [ -z "$section_name" ] || printf -- '--- %s: %s s\n' "$section_name" "$((SECONDS - section_start))"
    section_name=''
}
section() {
    end_section
    section_name="$1"
    section_start=$SECONDS
    printf -- '\n=== %s\n' "$1"
}
on_exit() {
    local code=$?
    if [ "$code" -ne 0 ]; then
        printf -- '\n=== failed in: %s\n' "${section_name:-start}" >&2
    fi
}
trap on_exit EXIT

section 'set-up'
bash tests/setup.sh
export PATH="$PWD/target/test-tools/bin:$PATH"

section 'formatting'
cargo fmt --all --check

section 'scripts and committed examples'
python3 examples/make-images.py --check
python3 krew/check.py

section 'lints'
cargo clippy --locked --all-targets -- -D warnings

section 'documentation builds'
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --quiet

section 'licences, bans, sources'
cargo deny --locked check licenses bans sources

section 'advisories'
# The database is a git repository on GitHub. Where that cannot be reached the check is left out, and said so:
# a fetch that fails must neither fail the build nor look like a clean answer.
if timeout 60 cargo deny --locked fetch db >/dev/null 2>&1; then
    cargo deny --locked check --disable-fetch advisories
else
    echo 'advisories: NOT CHECKED, the RustSec database could not be fetched'
fi

section 'tests'
cargo test --locked
end_section

printf -- '\nall checks passed in %s s\n' "$SECONDS"
