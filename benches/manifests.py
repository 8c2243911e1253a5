#!/usr/bin/env python3
"""Writes what a gate is measured with: rendered manifests, and an OCI image layout that answers for
every image in them.

    manifests.py DIRECTORY [DOCUMENTS] [IMAGES]

5,000 documents and 500 images unless told. The documents are what charts render: three in ten are workloads with init
containers, environment, probes and volumes; the others are Services, ConfigMaps with scripts, RBAC, and now and then a
CustomResourceDefinition with a long schema. One image in ten is for amd64 alone. The same numbers give the same bytes.
"""

import hashlib
import json
import sys
from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


class Layout:
    def __init__(self, directory):
        self.blobs = directory / "blobs" / "sha256"
        self.blobs.mkdir(parents=True, exist_ok=True)
        self.directory, self.entries = directory, []

    def blob(self, document):
        data = json.dumps(document, separators=(",", ":")).encode()
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def image(self, name, number, architectures):
        children = []
        for architecture in architectures:
            config = self.blob({"os": "linux", "architecture": architecture, "number": number})
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": CONFIG, **config}, "layers": []}
            platform = {"os": "linux", "architecture": architecture}
            children.append({"mediaType": MANIFEST, **self.blob(manifest), "platform": platform})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
        entry = {"mediaType": INDEX, **self.blob(index), "annotations": {"io.containerd.image.name": name}}
        self.entries.append(entry)

    def write(self):
        (self.directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries}
        (self.directory / "index.json").write_text(json.dumps(index))


def workload(at, image):
    kind, api, head, pad = [
        ("Deployment", "apps/v1", "spec:\n  replicas: 2\n  template:\n", "    "),
        ("StatefulSet", "apps/v1", "spec:\n  serviceName: s\n  template:\n", "    "),
        ("CronJob", "batch/v1", "spec:\n  schedule: 0 3 * * *\n  jobTemplate:\n    spec:\n      template:\n", "        "),
    ][at % 3]
    environment = "".join(f"      - {{name: SETTING_{n}, value: \"{n * 7919}\"}}\n" for n in range(12))
    spec = f"""metadata:
  labels: {{app: app-{at}, tier: backend}}
  annotations: {{checksum/config: {hashlib.sha256(str(at).encode()).hexdigest()}}}
spec:
  serviceAccountName: app-{at}
  securityContext: {{runAsNonRoot: true, fsGroup: 1000}}
  initContainers:
  - name: migrate
    image: {image(at + 1)}
    command: ["sh", "-c", "exec /app/migrate"]
  containers:
  - name: app
    image: "{image(at)}"
    imagePullPolicy: IfNotPresent
    ports:
    - {{name: http, containerPort: 8080}}
    env:
{environment}    livenessProbe:
      httpGet: {{path: /healthz, port: http}}
      periodSeconds: 10
    resources:
      requests: {{cpu: 100m, memory: 128Mi}}
      limits: {{memory: 256Mi}}
    volumeMounts:
    - {{name: config, mountPath: /etc/app}}
  volumes:
  - name: config
    configMap: {{name: app-{at}, defaultMode: 0644}}
"""
    body = "".join(pad + line + "\n" if line else "\n" for line in spec.splitlines())
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: app-{at}\n  namespace: team-{at % 40}\n{head}{body}"


def other(at):
    if at % 100 == 7:
        fields = "".join(f"              field{n}:\n                description: What field {n} is for.\n                type: string\n" for n in range(150))
        return f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things{at}.example.com}}\nspec:\n  group: example.com\n  scope: Namespaced\n  names: {{kind: Thing{at}, plural: things{at}}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        properties:\n          spec:\n            properties:\n{fields}"
    if at % 3 == 0:
        script = "".join(f"    echo step {n}: a line of a script\n" for n in range(30))
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app-{at}, namespace: team-{at % 40}}}\ndata:\n  run.sh: |\n    #!/bin/sh\n{script}"
    if at % 3 == 1:
        return f"apiVersion: v1\nkind: Service\nmetadata: {{name: app-{at}, namespace: team-{at % 40}}}\nspec:\n  selector: {{app: app-{at}}}\n  ports:\n  - {{name: http, port: 80, targetPort: http}}\n"
    return f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: app-{at}, namespace: team-{at % 40}}}\nrules:\n- apiGroups: [\"\"]\n  resources: [configmaps, secrets]\n  verbs: [get, list, watch]\n"


def main():
    directory = Path(sys.argv[1])
    documents = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    images = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    layout = Layout(directory / "images")
    names = [f"registry.example.com/team-{n % 40}/app-{n}:1.{n}.0" for n in range(images)]
    for number, name in enumerate(names):
        layout.image(name, number, ["amd64"] if number % 10 == 0 else ["amd64", "arm64"])
    layout.write()
    text = [workload(at, lambda n: names[n % images]) if at % 10 < 3 else other(at) for at in range(documents)]
    manifests = "".join(f"---\n# Source: app/templates/document-{at}.yaml\n{document}" for at, document in enumerate(text))
    (directory / "manifests.yaml").write_text(manifests)
    print(f"{documents} documents, {manifests.count(chr(10))} lines, {len(manifests) / 1e6:.1f} MB, {images} images")


main()
