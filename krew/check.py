#!/usr/bin/env python3
"""Checks plugin.yaml against what krew's own validation asks of a manifest, as far as the text alone tells.

What needs archives (that each holds its `bin` and LICENSE, that sums fit) is checked when a release is made.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAG = "v1.2.3"
URI_AND_SHA = re.compile(r'^( *)\{\{ *addURIAndSha "([^"]+)" \.TagName \| indent (\d+) *\}\}$', re.MULTILINE)
# What krew-index's CI tries to install on. s390x and riscv64 are not among them: the release page has those.
KREW_PLATFORMS = {
    *(("linux", arch) for arch in ("386", "amd64", "arm", "arm64", "ppc64le")),
    *(("darwin", arch) for arch in ("386", "amd64", "arm64")),
    *(("windows", arch) for arch in ("386", "amd64", "arm64")),
}
# Kubernetes is developed on these; a manifest without one of them has lost it by accident.
EXPECTED = {("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64"), ("windows", "amd64")}


def render(template, tag):
    """The manifest as krew-release-bot renders it, with a sum of zeros."""
    def uri_and_sha(match):
        indent, uri, depth = match.groups()
        if len(indent) != int(depth):
            raise SystemExit(f"plugin.yaml: {uri} is indented by {len(indent)}, but says indent {depth}")
        return f"{indent}uri: {uri}\n{indent}sha256: {'0' * 64}"

    return URI_AND_SHA.sub(uri_and_sha, template).replace("{{ .TagName }}", tag)


def problems(manifest):
    def value(key):
        found = re.findall(rf"^ *(?:- )?{key}: (.*)$", manifest, re.MULTILINE)
        return found[0] if len(found) == 1 else None

    if "{{" in manifest:
        yield "a template expression is left that krew-release-bot would not fill in"
    if value("apiVersion") != "krew.googlecontainertools.github.com/v1alpha2":
        yield "apiVersion"
    if value("name") != "archcheck":
        yield "name: krew files the manifest under it, as archcheck.yaml"
    if not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", value("version") or ""):
        yield "version: v and a semantic version"
    short = value("shortDescription") or ""
    if not short or len(short) > 70 or short.endswith("."):
        yield "shortDescription: one short line without a period"
    if "CPU architecture" not in short:
        yield "shortDescription: must say CPU architecture; others named archcheck look at software architecture"
    if not (value("homepage") or "").startswith("https://"):
        yield "homepage"
    if re.search(r"(^|\s)--?[a-z]", manifest.split("description: |")[1].split("platforms:")[0]):
        yield "description: krew wants no list of flags"

    seen = []
    for block in re.split(r"^    - selector:$", manifest, flags=re.MULTILINE)[1:]:
        fields = dict(re.findall(r"^ +(os|arch|uri|sha256|bin): (.*)$", block, re.MULTILINE))
        platform = (fields.get("os"), fields.get("arch"))
        seen.append(platform)
        suffix = ".exe" if platform[0] == "windows" else ""
        archive = ".zip" if platform[0] == "windows" else ".tar.gz"
        name = f"kubectl-archcheck_{TAG}_{platform[0]}_{platform[1]}{archive}"
        if platform not in KREW_PLATFORMS:
            yield f"{platform}: not a platform that krew checks"
        if fields.get("bin") != f"kubectl-archcheck{suffix}":
            yield f"{platform}: bin is {fields.get('bin')}"
        if not (fields.get("uri") or "").endswith(f"/releases/download/{TAG}/{name}"):
            yield f"{platform}: uri does not end in {name}"
        if not re.fullmatch(r"[0-9a-f]{64}", fields.get("sha256", "")):
            yield f"{platform}: sha256"
    if len(seen) != len(set(seen)):
        yield "a platform is matched twice"
    if EXPECTED - set(seen):
        yield f"platforms missing: {sorted(EXPECTED - set(seen))}"


def main():
    found = list(problems(render((ROOT / "plugin.yaml").read_text(), TAG)))
    for problem in found:
        print(f"plugin.yaml: {problem}", file=sys.stderr)
    print(f"plugin.yaml: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
