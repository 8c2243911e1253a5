//! Image layouts and archives.

use super::*;

/// A layout with an amd64 image, in a directory; returns the digest of its manifest.
fn write_layout(dir: &std::path::Path, annotations: &Value) -> Digest {
    let blobs = dir.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let write = |value: &Value| {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::sha256_of(&bytes);
        std::fs::write(blobs.join(digest.hex()), bytes).unwrap();
        digest
    };
    let config = write(&json!({"os": "linux", "architecture": "amd64", "rootfs": {}}));
    let manifest = write(
        &json!({"schemaVersion": 2, "config": {"mediaType": media_type::OCI_CONFIG, "digest": config}, "layers": []}),
    );
    let index = json!({"schemaVersion": 2, "manifests": [{"mediaType": media_type::OCI_MANIFEST, "digest": manifest, "annotations": annotations}]});
    std::fs::write(dir.join("index.json"), index.to_string()).unwrap();
    std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    manifest
}

fn tar_of(dir: &std::path::Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(".", dir).unwrap();
    tar.into_inner().unwrap()
}

async fn layout_answer(spec: LayoutSpec, image: &str) -> (Option<ImageAnswer>, Vec<String>) {
    let (layouts, warnings) = layout::Layouts::open(&[spec]).unwrap();
    (
        layouts.resolve(&ImageRef::parse(image).unwrap()).await,
        warnings,
    )
}

#[tokio::test]
async fn layouts_answer_for_the_names_that_they_carry() {
    for (what, annotations, reference, image, answers, warns) in [
        (
            "containerd's name",
            json!({"io.containerd.image.name": "docker.io/acme/app:1"}),
            None,
            "acme/app:1",
            true,
            false,
        ),
        (
            "normalised",
            json!({"io.containerd.image.name": "acme/app"}),
            None,
            "docker.io/acme/app:latest",
            true,
            false,
        ),
        (
            "a full ref.name",
            json!({"org.opencontainers.image.ref.name": "quay.io/a/b:2"}),
            None,
            "quay.io/a/b:2",
            true,
            false,
        ),
        (
            "containerd's name wins",
            json!({"io.containerd.image.name": "a/b:1", "org.opencontainers.image.ref.name": "c/d:1"}),
            None,
            "c/d:1",
            false,
            false,
        ),
        (
            "a tag alone",
            json!({"org.opencontainers.image.ref.name": "2"}),
            None,
            "quay.io/a/b:2",
            false,
            true,
        ),
        (
            "REF=",
            json!({}),
            Some("quay.io/a/b:2"),
            "quay.io/a/b:2",
            true,
            false,
        ),
        (
            "REF= takes the place of names",
            json!({"io.containerd.image.name": "x/y:1"}),
            Some("quay.io/a/b:2"),
            "x/y:1",
            false,
            false,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let digest = write_layout(dir.path(), &annotations);
        let archive = dir.path().join("../").join(format!(
            "{}.tar",
            dir.path().file_name().unwrap().to_string_lossy()
        ));
        std::fs::write(&archive, tar_of(dir.path())).unwrap();
        for path in [dir.path().to_owned(), archive.clone()] {
            let spec = LayoutSpec {
                reference: reference.map(str::to_owned),
                path: path.clone(),
            };
            let (answer, warnings) = layout_answer(spec.clone(), image).await;
            assert_eq!(answer.is_some(), answers, "{what}: {path:?}");
            assert_eq!(!warnings.is_empty(), warns, "{what}: {warnings:?}");
            if let Some(answer) = answer {
                assert_eq!(
                    answer.result.unwrap().platforms(),
                    [Platform::new("linux", "amd64", "")]
                );
                assert_eq!(answer.credential, CredentialKind::NotNeeded);
            }
            let (by_digest, _) = layout_answer(spec, &format!("any/thing@{digest}")).await;
            assert_eq!(by_digest.unwrap().result.unwrap().digest, digest, "{what}");
        }
        std::fs::remove_file(archive).unwrap();
    }
}

#[tokio::test]
async fn docker_save_archives_answer_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("abc.json"),
        json!({"os": "linux", "architecture": "arm64"}).to_string(),
    )
    .unwrap();
    let manifest =
        json!([{"Config": "abc.json", "RepoTags": ["acme/app:1"], "Layers": ["a/layer.tar"]}]);
    std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    let archive = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(archive.path(), tar_of(dir.path())).unwrap();
    let spec = LayoutSpec {
        reference: None,
        path: archive.path().to_owned(),
    };
    let (answer, _) = layout_answer(spec, "docker.io/acme/app:1").await;
    assert_eq!(
        answer.unwrap().result.unwrap().platforms(),
        [Platform::new("linux", "arm64", "")]
    );
}

#[test]
fn a_reference_is_not_answered_by_images_of_other_names() {
    let dir = tempfile::tempdir().unwrap();
    let named = |name: &str| {
        let manifest = write_layout(dir.path(), &json!({}));
        json!({"mediaType": media_type::OCI_MANIFEST, "digest": manifest, "annotations": {"io.containerd.image.name": name}})
    };
    let entries = [named("docker.io/acme/a:1"), named("docker.io/acme/b:1")];
    let index = json!({"schemaVersion": 2, "manifests": entries});
    std::fs::write(dir.path().join("index.json"), index.to_string()).unwrap();
    let open = |reference: &str| {
        layout::Layouts::open(&[LayoutSpec {
            reference: Some(reference.to_owned()),
            path: dir.path().to_owned(),
        }])
    };
    assert!(open("acme/b:1").is_ok());
    let error = open("acme/other:1").unwrap_err().to_string();
    assert!(error.contains("2 images under other names"), "{error}");
}

#[tokio::test]
async fn broken_layouts_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: PathBuf| {
        layout::Layouts::open(&[LayoutSpec {
            reference: None,
            path,
        }])
        .map(|_| ())
    };
    assert!(
        open(dir.path().to_owned())
            .unwrap_err()
            .to_string()
            .contains("neither an OCI image layout")
    );
    assert!(open(PathBuf::from("/nonexistent")).is_err());
    let junk = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(junk.path(), "junk".repeat(400)).unwrap();
    assert!(open(junk.path().to_owned()).is_err());
    // A blob that is missing or altered is the image's error, not the layout's.
    let digest = write_layout(dir.path(), &json!({"io.containerd.image.name": "a/b:1"}));
    let blob = dir.path().join("blobs/sha256").join(digest.hex());
    for broken in [Some("{}"), None] {
        match broken {
            Some(text) => std::fs::write(&blob, text).unwrap(),
            None => std::fs::remove_file(&blob).unwrap(),
        }
        let spec = LayoutSpec {
            reference: None,
            path: dir.path().to_owned(),
        };
        let (answer, _) = layout_answer(spec, "a/b:1").await;
        assert!(matches!(
            answer.unwrap().result,
            Err(ImageError::Layout { .. })
        ));
    }
}
