//! Builds tiny OCI image layouts in a directory: images that have every shape a registry can hold, in a few hundred bytes.
//!
//! Blobs hold fixed bytes, so a digest depends on the arguments alone and may stand in a snapshot. The layout is a
//! real one (skopeo copies it to a registry), except where a shape is invalid by intention.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Media types by their two families; a registry stores either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Oci,
    Docker,
}

impl Family {
    fn index(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.index.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    fn manifest(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    fn config(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json",
            Self::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    fn layer(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
        }
    }
}

/// What points to a blob: goes into an index, or is tagged.
#[derive(Debug, Clone)]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    /// `sha256:…`
    pub(crate) digest: String,
    pub(crate) size: usize,
    /// The `platform` member of an index entry; `None` leaves it out.
    pub(crate) platform: Option<Value>,
    pub(crate) annotations: Vec<(String, String)>,
}

impl Descriptor {
    /// The same entry without a platform, as `docker manifest` and hand-made indexes have it.
    #[must_use]
    pub(crate) fn without_platform(mut self) -> Self {
        self.platform = None;
        self
    }

    /// The same entry that claims to be for another platform (a lying index).
    #[must_use]
    pub(crate) fn claiming(mut self, platform: &str) -> Self {
        self.platform = Some(platform_json(platform));
        self
    }

    /// The same entry with `os.version`, as Windows images have it.
    #[must_use]
    pub(crate) fn with_os_version(mut self, version: &str) -> Self {
        if let Some(platform) = &mut self.platform {
            platform["os.version"] = json!(version);
        }
        self
    }

    /// The same entry with an annotation.
    #[must_use]
    pub(crate) fn annotated(mut self, key: &str, value: &str) -> Self {
        self.annotations.push((key.to_owned(), value.to_owned()));
        self
    }

    fn to_json(&self) -> Value {
        let mut entry =
            json!({"mediaType": self.media_type, "digest": self.digest, "size": self.size});
        if let Some(platform) = &self.platform {
            entry["platform"] = platform.clone();
        }
        for (key, value) in &self.annotations {
            entry["annotations"][key] = json!(value);
        }
        entry
    }
}

/// An OCI image layout being built. The directory belongs to the caller (`tempfile::tempdir()`).
#[derive(Debug)]
pub(crate) struct ImageLayout {
    dir: PathBuf,
    family: Family,
    entries: Vec<Descriptor>,
}

impl ImageLayout {
    /// Starts an empty layout in `dir`, which is created if it does not exist.
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let layout = Self {
            dir,
            family: Family::Oci,
            entries: Vec::new(),
        };
        layout.write_index();
        layout
    }

    /// Media types of what is built from here on.
    pub(crate) fn family(&mut self, family: Family) -> &mut Self {
        self.family = family;
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// A single image for `os/arch[/variant]`: config, one layer with a program for that architecture at `/app`.
    pub(crate) fn image(&self, platform: &str) -> Descriptor {
        self.image_with(platform, platform)
    }

    /// An image whose config says `config_platform` while its program was built for `binary_platform`.
    pub(crate) fn image_with(&self, config_platform: &str, binary_platform: &str) -> Descriptor {
        let program = program_for(binary_platform);
        let tar = tar_with("app", 0o755, &program);
        let mut config = platform_json(config_platform);
        let architecture = config["architecture"].take();
        let os = config["os"].take();
        let variant = config.get("variant").cloned();
        let mut config = json!({
            "created": "2024-01-01T00:00:00Z",
            "architecture": architecture,
            "os": os,
            "config": {"Entrypoint": ["/app"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(&tar)]},
            "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "COPY app /app"}],
        });
        if let Some(variant) = variant {
            config["variant"] = variant;
        }
        self.image_from_config(&config, &tar, Some(platform_json(config_platform)))
    }

    /// An image whose config has no `os` and no `architecture`, as some build tools leave it.
    pub(crate) fn image_without_config_platform(&self) -> Descriptor {
        let tar = tar_with("app", 0o755, &program_for("linux/amd64"));
        let config =
            json!({"config": {}, "rootfs": {"type": "layers", "diff_ids": [sha256(&tar)]}});
        self.image_from_config(&config, &tar, None)
    }

    fn image_from_config(&self, config: &Value, tar: &[u8], platform: Option<Value>) -> Descriptor {
        let layer = gzip(tar);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": self.family.manifest(),
            "config": self.blob_entry(self.family.config(), config.to_string().as_bytes()),
            "layers": [self.blob_entry(self.family.layer(), &layer)],
        });
        self.put(self.family.manifest(), &manifest, platform)
    }

    /// What BuildKit adds for provenance and SBOM: an entry for `unknown/unknown` that refers to `subject`.
    pub(crate) fn attestation(&self, subject: &Descriptor) -> Descriptor {
        let statement = json!({"_type": "https://in-toto.io/Statement/v0.1", "subject": [{"digest": subject.digest}]});
        let statement = statement.to_string();
        let config = json!({
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [sha256(statement.as_bytes())]},
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": Family::Oci.manifest(),
            "config": self.blob_entry(Family::Oci.config(), config.to_string().as_bytes()),
            "layers": [self.blob_entry("application/vnd.in-toto+json", statement.as_bytes())],
        });
        self.put(
            Family::Oci.manifest(),
            &manifest,
            Some(platform_json("unknown/unknown")),
        )
        .annotated("vnd.docker.reference.type", "attestation-manifest")
        .annotated("vnd.docker.reference.digest", &subject.digest)
    }

    /// An index with these entries, in this order. Nested indexes are entries like any other.
    pub(crate) fn index(&self, entries: &[Descriptor]) -> Descriptor {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": self.family.index(),
            "manifests": entries.iter().map(Descriptor::to_json).collect::<Vec<_>>(),
        });
        self.put(self.family.index(), &index, None)
    }

    /// An index of single images, one for each platform.
    pub(crate) fn index_of(&self, platforms: &[&str]) -> Descriptor {
        let images: Vec<_> = platforms
            .iter()
            .map(|platform| self.image(platform))
            .collect();
        self.index(&images)
    }

    /// An index entry for an image that the layout does not hold (a partial mirror).
    pub(crate) fn missing(&self, platform: &str) -> Descriptor {
        Descriptor {
            media_type: self.family.manifest().to_owned(),
            digest: sha256(format!("missing {platform}").as_bytes()),
            size: 527,
            platform: Some(platform_json(platform)),
            annotations: Vec::new(),
        }
    }

    /// A Helm chart: a manifest like an image's whose config has another media type.
    pub(crate) fn helm_chart(&self) -> Descriptor {
        let chart = gzip(&tar_with(
            "demo/Chart.yaml",
            0o644,
            b"apiVersion: v2\nname: demo\nversion: 0.1.0\n",
        ));
        let config = json!({"apiVersion": "v2", "name": "demo", "version": "0.1.0"});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": Family::Oci.manifest(),
            "config": self.blob_entry("application/vnd.cncf.helm.config.v1+json", config.to_string().as_bytes()),
            "layers": [self.blob_entry("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &chart)],
        });
        self.put(Family::Oci.manifest(), &manifest, None)
    }

    /// An OCI 1.1 artifact: `artifactType` and the empty config.
    pub(crate) fn artifact(&self, artifact_type: &str) -> Descriptor {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": Family::Oci.manifest(),
            "artifactType": artifact_type,
            "config": self.blob_entry("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [self.blob_entry("text/plain", b"an artifact\n")],
        });
        self.put(Family::Oci.manifest(), &manifest, None)
    }

    /// A schema 1 manifest, unsigned: for tests that read the layout or serve its bytes. skopeo cannot push it.
    pub(crate) fn schema1(&self, architecture: &str) -> Descriptor {
        let v1 = json!({"id": "00", "architecture": architecture, "os": "linux", "created": "2015-01-01T00:00:00Z"});
        let manifest = json!({
            "schemaVersion": 1,
            "name": "library/old",
            "tag": "latest",
            "architecture": architecture,
            "fsLayers": [{"blobSum": sha256(b"")}],
            "history": [{"v1Compatibility": v1.to_string()}],
        });
        self.put(
            "application/vnd.docker.distribution.manifest.v1+json",
            &manifest,
            None,
        )
    }

    /// Any document as a manifest: for shapes that have no method here.
    pub(crate) fn raw(&self, media_type: &str, document: &Value) -> Descriptor {
        self.put(media_type, document, None)
    }

    /// Puts the image under a full reference: the name that containerd uses and, for skopeo (`oci:DIR:TAG`), the tag.
    pub(crate) fn tag(&mut self, reference: &str, image: &Descriptor) -> &mut Self {
        let last = reference.rsplit('/').next().unwrap_or(reference);
        let tag = last.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let named = image
            .clone()
            .annotated("io.containerd.image.name", reference)
            .annotated("org.opencontainers.image.ref.name", tag);
        self.entries.push(named);
        self.write_index();
        self
    }

    /// Puts the image into index.json as the entry is, with the annotations that it has.
    pub(crate) fn list(&mut self, image: &Descriptor) -> &mut Self {
        self.entries.push(image.clone());
        self.write_index();
        self
    }

    /// The bytes of a blob.
    pub(crate) fn blob(&self, digest: &str) -> Vec<u8> {
        std::fs::read(self.blob_path(digest)).unwrap()
    }

    /// Where a blob lies; tests break or remove it there.
    pub(crate) fn blob_path(&self, digest: &str) -> PathBuf {
        self.dir.join("blobs").join(digest.replacen(':', "/", 1))
    }

    fn blob_entry(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        std::fs::write(self.blob_path(&digest), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn put(&self, media_type: &str, document: &Value, platform: Option<Value>) -> Descriptor {
        let bytes = document.to_string();
        let entry = self.blob_entry(media_type, bytes.as_bytes());
        Descriptor {
            media_type: media_type.to_owned(),
            digest: entry["digest"].as_str().unwrap().to_owned(),
            size: bytes.len(),
            platform,
            annotations: Vec::new(),
        }
    }

    fn write_index(&self) {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": Family::Oci.index(),
            "manifests": self.entries.iter().map(Descriptor::to_json).collect::<Vec<_>>(),
        });
        std::fs::write(self.dir.join("index.json"), index.to_string()).unwrap();
    }
}

/// `os/arch[/variant]` as an index entry's `platform`.
fn platform_json(platform: &str) -> Value {
    let mut parts = platform.split('/');
    let (os, architecture) = (
        parts.next().unwrap(),
        parts.next().expect("a platform is os/arch[/variant]"),
    );
    let mut value = json!({"architecture": architecture, "os": os});
    if let Some(variant) = parts.next() {
        value["variant"] = json!(variant);
    }
    value
}

/// `sha256:<hex>` of the bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// The smallest file that says which machine it is for: an ELF header for Linux, an MZ/PE header for Windows.
pub(crate) fn program_for(platform: &str) -> Vec<u8> {
    let mut parts = platform.split('/');
    let (os, arch) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if os == "windows" {
        return pe_header(arch);
    }
    // e_machine out of elf.h; class 1 is 32 bits, data 1 is little-endian.
    let (class, data, machine): (u8, u8, u16) = match arch {
        "amd64" => (2, 1, 62),
        "386" => (1, 1, 3),
        "arm64" => (2, 1, 183),
        "arm" => (1, 1, 40),
        "ppc64le" => (2, 1, 21),
        "s390x" => (2, 2, 22),
        "riscv64" => (2, 1, 243),
        "loong64" => (2, 1, 258),
        "mips64le" => (2, 1, 8),
        other => panic!("no ELF machine known for architecture {other}: add it here"),
    };
    let half = |value: u16| {
        if data == 1 {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let word = |value: u32| {
        if data == 1 {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let address = |value: u64| match (class, data) {
        (1, 1) => u32::try_from(value).unwrap().to_le_bytes().to_vec(),
        (1, _) => u32::try_from(value).unwrap().to_be_bytes().to_vec(),
        (_, 1) => value.to_le_bytes().to_vec(),
        _ => value.to_be_bytes().to_vec(),
    };
    let (header_size, program_header_size): (u16, u16) =
        if class == 2 { (64, 56) } else { (52, 32) };
    // EF_ARM_EABI_VER5 on arm, nothing elsewhere.
    let flags: u32 = if arch == "arm" { 0x0500_0000 } else { 0 };

    let mut elf = vec![0x7f, b'E', b'L', b'F', class, data, 1, 0];
    elf.extend([0; 8]);
    elf.extend(half(2)); // ET_EXEC: static, no interpreter
    elf.extend(half(machine));
    elf.extend(word(1));
    elf.extend(address(0x10000)); // entry point
    elf.extend(address(u64::from(header_size))); // program headers follow the header
    elf.extend(address(0)); // no section headers
    elf.extend(word(flags));
    for value in [header_size, program_header_size, 1, 0, 0, 0] {
        elf.extend(half(value));
    }
    // One PT_LOAD of the file itself. The order of its fields differs by class.
    let size = u64::from(header_size + program_header_size);
    elf.extend(word(1));
    if class == 2 {
        elf.extend(word(5)); // read, execute
    }
    for value in [0, 0x10000, 0x10000, size, size] {
        elf.extend(address(value));
    }
    if class == 1 {
        elf.extend(word(5));
    }
    elf.extend(address(0x1000));
    elf
}

fn pe_header(arch: &str) -> Vec<u8> {
    let machine: u16 = match arch {
        "amd64" => 0x8664,
        "arm64" => 0xaa64,
        "386" => 0x014c,
        other => panic!("no PE machine known for architecture {other}: add it here"),
    };
    let mut pe = b"MZ".to_vec();
    pe.resize(0x3c, 0);
    pe.extend(0x40_u32.to_le_bytes());
    pe.extend(b"PE\0\0");
    pe.extend(machine.to_le_bytes());
    pe.resize(0x40 + 24, 0);
    pe
}

/// A tar with one file, its owner and time fixed.
fn tar_with(path: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, path, content).unwrap();
    builder.into_inner().unwrap()
}

/// Stored, not compressed: what a compressor makes of the same bytes may change with its version and the CPU.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(layout: &ImageLayout, digest: &str) -> Value {
        let bytes = layout.blob(digest);
        assert_eq!(sha256(&bytes), digest, "a blob's name is its digest");
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn digests_depend_on_the_arguments_alone() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let digest = |dir: &Path| {
            ImageLayout::new(dir)
                .index_of(&["linux/amd64", "linux/arm64"])
                .digest
        };
        assert_eq!(digest(one.path()), digest(two.path()));
        let layout = ImageLayout::new(one.path());
        assert_ne!(
            layout.image("linux/amd64").digest,
            layout.image("linux/arm64").digest
        );
        assert_ne!(
            layout.image("linux/arm/v6").digest,
            layout.image("linux/arm/v7").digest
        );
    }

    #[test]
    fn a_single_image_has_config_and_layer() {
        let dir = tempfile::tempdir().unwrap();
        let layout = ImageLayout::new(dir.path());
        let image = layout.image("linux/arm/v7");
        let manifest = read(&layout, &image.digest);
        let config = read(&layout, manifest["config"]["digest"].as_str().unwrap());
        assert_eq!(
            (&config["architecture"], &config["variant"]),
            (&json!("arm"), &json!("v7"))
        );
        assert_eq!(config["os"], "linux");

        let layer = layout.blob(manifest["layers"][0]["digest"].as_str().unwrap());
        let mut tar = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&layer[..]), &mut tar)
            .unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], sha256(&tar));
        let mut archive = tar::Archive::new(&tar[..]);
        let mut file = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(file.path().unwrap().to_str(), Some("app"));
        let mut program = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut program).unwrap();
        assert_eq!(program, program_for("linux/arm/v7"));
    }

    #[test]
    fn programs_say_their_machine() {
        let machine = |platform: &str| {
            let elf = program_for(platform);
            assert_eq!(&elf[..4], b"\x7fELF");
            let pair = [elf[18], elf[19]];
            if elf[5] == 1 {
                u16::from_le_bytes(pair)
            } else {
                u16::from_be_bytes(pair)
            }
        };
        assert_eq!(machine("linux/amd64"), 62);
        assert_eq!(machine("linux/arm64"), 183);
        assert_eq!(machine("linux/arm/v7"), 40);
        assert_eq!(machine("linux/s390x"), 22);
        assert_eq!(program_for("linux/amd64").len(), 64 + 56);
        assert_eq!(program_for("linux/386").len(), 52 + 32);
        assert_eq!(&program_for("windows/amd64")[0x40..0x46], b"PE\0\0\x64\x86");
    }

    #[test]
    fn an_index_lists_its_entries_in_order_and_as_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let layout = ImageLayout::new(dir.path());
        let amd64 = layout.image("linux/amd64");
        let index = layout.index(&[
            amd64.clone(),
            amd64.clone().claiming("linux/arm64"),
            amd64.clone().without_platform(),
            layout.attestation(&amd64),
            layout.index_of(&["linux/riscv64"]),
            layout
                .image("windows/amd64")
                .with_os_version("10.0.20348.2527"),
        ]);
        let entries = &read(&layout, &index.digest)["manifests"];
        assert_eq!(
            entries[0]["platform"],
            json!({"architecture": "amd64", "os": "linux"})
        );
        assert_eq!(entries[1]["platform"]["architecture"], "arm64");
        assert_eq!(entries[1]["digest"], entries[0]["digest"]);
        assert_eq!(entries[2].get("platform"), None);
        assert_eq!(entries[3]["platform"]["os"], "unknown");
        assert_eq!(
            entries[3]["annotations"]["vnd.docker.reference.digest"],
            entries[0]["digest"]
        );
        assert_eq!(entries[4]["mediaType"], Family::Oci.index());
        assert_eq!(entries[5]["platform"]["os.version"], "10.0.20348.2527");
        assert_eq!(layout.blob(&index.digest).len(), index.size);
    }

    #[test]
    fn the_docker_family_uses_dockers_media_types_throughout() {
        let dir = tempfile::tempdir().unwrap();
        let mut layout = ImageLayout::new(dir.path());
        layout.family(Family::Docker);
        let index = layout.index_of(&["linux/amd64"]);
        assert_eq!(
            index.media_type,
            "application/vnd.docker.distribution.manifest.list.v2+json"
        );
        let entry = &read(&layout, &index.digest)["manifests"][0];
        assert_eq!(
            entry["mediaType"],
            "application/vnd.docker.distribution.manifest.v2+json"
        );
        let manifest = read(&layout, entry["digest"].as_str().unwrap());
        assert_eq!(
            manifest["config"]["mediaType"],
            "application/vnd.docker.container.image.v1+json"
        );
    }

    #[test]
    fn tags_name_the_full_reference() {
        let dir = tempfile::tempdir().unwrap();
        let mut layout = ImageLayout::new(dir.path());
        let image = layout.image("linux/amd64");
        layout
            .tag("localhost:5000/team/app:v1", &image)
            .tag("localhost:5000/team/other", &image);
        let index: Value =
            serde_json::from_slice(&std::fs::read(dir.path().join("index.json")).unwrap()).unwrap();
        let annotations = |i: usize| &index["manifests"][i]["annotations"];
        assert_eq!(
            annotations(0)["io.containerd.image.name"],
            "localhost:5000/team/app:v1"
        );
        assert_eq!(annotations(0)["org.opencontainers.image.ref.name"], "v1");
        assert_eq!(
            annotations(1)["org.opencontainers.image.ref.name"],
            "latest"
        );
    }

    #[test]
    fn entries_can_be_listed_without_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut layout = ImageLayout::new(dir.path());
        let image = layout.image("linux/amd64");
        layout.list(&image);
        let index: Value =
            serde_json::from_slice(&std::fs::read(dir.path().join("index.json")).unwrap()).unwrap();
        assert_eq!(index["manifests"][0]["digest"], image.digest);
        assert_eq!(index["manifests"][0].get("annotations"), None);
    }

    #[test]
    fn odd_shapes_are_what_they_say() {
        let dir = tempfile::tempdir().unwrap();
        let layout = ImageLayout::new(dir.path());
        let chart = read(&layout, &layout.helm_chart().digest);
        assert_eq!(
            chart["config"]["mediaType"],
            "application/vnd.cncf.helm.config.v1+json"
        );
        let artifact = read(&layout, &layout.artifact("application/vnd.example").digest);
        assert_eq!(artifact["artifactType"], "application/vnd.example");
        assert_eq!(
            read(&layout, &layout.schema1("amd64").digest)["schemaVersion"],
            1
        );
        assert!(
            !layout
                .blob_path(&layout.missing("linux/arm64").digest)
                .exists()
        );
        let garbage = layout.raw("application/vnd.example+json", &json!({"hello": "world"}));
        assert_eq!(read(&layout, &garbage.digest), json!({"hello": "world"}));
        let bare = read(&layout, &layout.image_without_config_platform().digest);
        let config = read(&layout, bare["config"]["digest"].as_str().unwrap());
        assert_eq!(config.get("architecture"), None);
    }
}
