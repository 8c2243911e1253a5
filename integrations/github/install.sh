#!/usr/bin/env bash
# The first step of action.yml: puts kubectl-archcheck on the PATH of the following steps, unless it is there already.
set -euo pipefail

fail() {
    printf '::error title=kubectl archcheck::%s\n' "$*"
    exit 3
}

if command -v kubectl-archcheck >/dev/null 2>&1; then
    echo "kubectl-archcheck is installed: $(command -v kubectl-archcheck)"
    exit 0
fi

# A test asks another server.
releases="${ARCHCHECK_RELEASES:-https://github.com/kubectl-archcheck/kubectl-archcheck/releases}"
version="${ARCHCHECK_VERSION:-}"
if [ -z "$version" ] && [[ "${ARCHCHECK_ACTION_REF:-}" =~ ^v[0-9]+\.[0-9]+\.[0-9]+ ]]; then
    version="$ARCHCHECK_ACTION_REF"
fi
if [ -z "$version" ]; then
    # .../releases/latest redirects to .../releases/tag/VERSION.
    latest="$(curl -fsSLo /dev/null -w '%{url_effective}' --retry 3 "$releases/latest")" ||
        fail "the latest release could not be found at $releases/latest; name one with the input version"
    version="${latest##*/}"
fi

case "${RUNNER_OS:-Linux}" in
    Linux) os=linux ;;
    macOS) os=darwin ;;
    *) fail "there is no release for ${RUNNER_OS:-this runner} that this action installs; put kubectl-archcheck on the PATH first" ;;
esac
case "${RUNNER_ARCH:-X64}" in
    X64) arch=amd64 ;;
    ARM64) arch=arm64 ;;
    *) fail "there is no release for ${RUNNER_ARCH:-this runner}; put kubectl-archcheck on the PATH first" ;;
esac

directory="${RUNNER_TEMP:-/tmp}/kubectl-archcheck"
archive="kubectl-archcheck_${version}_${os}_${arch}.tar.gz"
mkdir -p "$directory"
cd "$directory"
for file in "$archive" SHA256SUMS; do
    curl -fsSLo "$file" --retry 3 "$releases/download/$version/$file" ||
        fail "$releases/download/$version/$file could not be fetched"
done
# The line of this archive alone: the others are not here.
sum="$(grep -F "  $archive" SHA256SUMS)" || fail "SHA256SUMS of $version does not name $archive"
if command -v sha256sum >/dev/null 2>&1; then
    check=(sha256sum --check --quiet)
else
    check=(shasum -a 256 --check --quiet)
fi
"${check[@]}" <<<"$sum" || fail "$archive is not what SHA256SUMS of $version says"
tar -xzf "$archive" kubectl-archcheck
echo "$directory" >>"${GITHUB_PATH:?}"
echo "installed kubectl-archcheck $version"
