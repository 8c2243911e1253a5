#!/usr/bin/env python3
"""Writes examples/images, an OCI image layout with the images of examples/cluster.yaml.

    make-images.py           write it
    make-images.py --check   exit 1 if what is committed differs, or does not fit cluster.yaml

The images have the shapes of the real ones (platforms, attestations), with one file each: an ELF
header for the right machine, which is all that a check of architectures ever reads of a program. The same input
gives the same bytes: nothing is compressed, no time is taken from the clock.
"""

import hashlib
import json
import re
import struct
import sys
import tarfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent

# OCI's media types for Docker's images too: skopeo finds no others in a layout.
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

# ELF class (1: 32 bits, 2: 64) and e_machine; all little-endian.
MACHINES = {"amd64": (2, 62), "386": (1, 3), "arm64": (2, 183), "arm": (1, 40)}


def elf(architecture):
    """A static executable of one empty segment: header and one program header."""
    bits, machine = MACHINES[architecture]
    ident = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    base, page = 0x10000, 0x1000
    if bits == 2:
        header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, base, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, 120, 120, page)
    else:
        flags = 0x05000000 if architecture == "arm" else 0
        header = struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, base, 52, 0, flags, 52, 32, 1, 0, 0, 0)
        segment = struct.pack("<IIIIIIII", 1, 0, base, base, 84, 84, 5, page)
    return ident + header + segment


def tar_of(path, content):
    """A tar with one executable. Not tarfile.TarFile: it pads to 10 KiB."""
    info = tarfile.TarInfo(path)
    info.size, info.mode = len(content), 0o755
    blocks = -(-len(content) // 512)
    return info.tobuf(tarfile.USTAR_FORMAT) + content.ljust(blocks * 512, b"\0") + bytes(1024)


def gzip_stored(data):
    """gzip without compression: what zlib makes of the same bytes differs between its versions."""
    assert len(data) < 65536
    stored = struct.pack("<BHH", 1, len(data), len(data) ^ 0xFFFF) + data
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + stored + struct.pack("<II", zlib.crc32(data), len(data))


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dump(document):
    return json.dumps(document, separators=(",", ":")).encode()


class Layout:
    """Blobs by digest, and the entries of index.json."""

    def __init__(self):
        self.blobs = {}
        self.entries = []

    def blob(self, media_type, data):
        digest = sha256(data)
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def image(self, platform, command):
        """A single image: config, manifest, one layer that holds command[0]."""
        os, architecture, *variant = platform.split("/")
        tar = tar_of(command[0].lstrip("/"), elf(architecture))
        config = {
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "os": os,
            "config": {"Entrypoint": command, "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(tar)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(CONFIG, dump(config)),
            "layers": [self.blob(LAYER, gzip_stored(tar))],
        }
        entry = self.blob(MANIFEST, dump(manifest))
        entry["platform"] = {"architecture": architecture, "os": os, **({"variant": variant[0]} if variant else {})}
        return entry

    def attestation(self, subject):
        """What `docker buildx build` adds for each platform: an entry that no node can run."""
        statement = dump({
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://slsa.dev/provenance/v0.2",
            "subject": [{"digest": {"sha256": subject["digest"].removeprefix("sha256:")}}],
        })
        config = {
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [sha256(statement)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(CONFIG, dump(config)),
            "layers": [self.blob("application/vnd.in-toto+json", statement)],
        }
        entry = self.blob(MANIFEST, dump(manifest))
        entry["annotations"] = {
            "vnd.docker.reference.digest": subject["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        }
        entry["platform"] = {"architecture": "unknown", "os": "unknown"}
        return entry

    def index(self, entries):
        return self.blob(INDEX, dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))

    def name(self, reference, entry):
        """Names the image as `docker buildx build --output type=oci` does: in full, and by its tag for skopeo."""
        entry = {key: value for key, value in entry.items() if key != "platform"}
        tag = reference.rsplit(":", 1)[1]
        assert tag not in [known["annotations"]["org.opencontainers.image.ref.name"] for known in self.entries]
        entry["annotations"] = {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": tag}
        self.entries.append(entry)

    def files(self):
        """Relative path -> content."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries}
        files = {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            # The one file that people open; the others are named by the digest of their bytes.
            "index.json": json.dumps(index, indent=2).encode() + b"\n",
        }
        for digest, data in self.blobs.items():
            files["blobs/" + digest.replace(":", "/")] = data
        return files


def build():
    layout = Layout()

    # A single manifest: nothing but its config says that it is for amd64, and no runtime looks there before a pull.
    layout.name(
        "k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1",
        layout.image("linux/amd64", ["/dashboard", "--insecure-bind-address=0.0.0.0"]),
    )

    # A proper two-platform image with provenance.
    nginx = [layout.image(platform, ["/usr/sbin/nginx", "-g", "daemon off;"]) for platform in ("linux/amd64", "linux/arm64/v8")]
    layout.name("docker.io/library/nginx:1.27", layout.index(nginx + [layout.attestation(image) for image in nginx]))

    # An index for one platform: buildx writes one even for a single --platform, to have a place for the attestation.
    agent = layout.image("linux/amd64", ["/node-agent"])
    layout.name("ghcr.io/example/node-agent:2.4.0", layout.index([agent, layout.attestation(agent)]))

    # amd64 only; its CronJob is pinned to amd64.
    layout.name("ghcr.io/example/nightly-report:1.8", layout.image("linux/amd64", ["/report"]))

    # A few more platforms, without provenance, as older official images are.
    postgres = [
        layout.image(platform, ["/usr/lib/postgresql/bin/postgres"])
        for platform in ("linux/amd64", "linux/arm/v7", "linux/arm64/v8", "linux/386")
    ]
    layout.name("docker.io/library/postgres:16", layout.index(postgres))
    return layout


def check(files, target):
    problems = []
    committed = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    for path in sorted(committed.keys() | files.keys()):
        if committed.get(path) != files.get(path):
            problems.append(f"examples/images/{path} is not what make-images.py writes")
    # The pods of cluster.yaml run what the layout holds.
    index = json.loads(files["index.json"])
    digests = {entry["digest"] for entry in index["manifests"]}
    cluster = (HERE / "cluster.yaml").read_text()
    for reference, digest in re.findall(r"imageID: (\S+)@(\S+)", cluster):
        if digest not in digests:
            problems.append(f"examples/cluster.yaml: {reference}@{digest} is in no image of the layout")
    names = " ".join(entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"])
    for image in sorted(set(re.findall(r"\bimage: (\S+)", cluster))):
        if image not in names:
            problems.append(f"examples/cluster.yaml: no image of the layout is named {image}")
    return problems


def main():
    files, target = build().files(), HERE / "images"
    if sys.argv[1:] == ["--check"]:
        problems = check(files, target)
        for problem in problems:
            print(problem, file=sys.stderr)
        print(f"examples/images: {len(files)} files, {sum(map(len, files.values()))} bytes, {len(problems)} problems")
        return 1 if problems else 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    for old in target.rglob("*"):
        if old.is_file() and str(old.relative_to(target)) not in files:
            old.unlink()
    for path, data in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    for entry in json.loads(files["index.json"])["manifests"]:
        print(entry["annotations"]["io.containerd.image.name"], entry["digest"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
