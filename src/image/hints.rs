//! What to do at a registry that refuses: which login it wants, by its host (registry.md §2.5).

/// A kind of registry, known by its host.
struct Kind {
    /// The host ends so; with a leading dot any host below it.
    ends: &'static [&'static str],
    /// What to do when it refuses access.
    login: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        ends: &["docker.io"],
        login: "docker login, with an account that may read it, and check the name: Docker Hub says the same of a private repository and of one that isn't there",
    },
    Kind {
        ends: &[".amazonaws.com", ".amazonaws.com.cn"],
        login: "log in: aws ecr get-login-password | docker login --username AWS --password-stdin HOST (it lasts 12 hours), or set up docker-credential-ecr-login",
    },
    Kind {
        ends: &["public.ecr.aws"],
        login: "check the repository's name; an old login is refused too: docker logout public.ecr.aws",
    },
    Kind {
        ends: &[".pkg.dev", "gcr.io"],
        login: "log in: gcloud auth configure-docker HOST, with an account that has roles/artifactregistry.reader",
    },
    Kind {
        ends: &[".azurecr.io"],
        login: "log in: az acr login --name REGISTRY (it lasts 3 hours), with an account that has the role AcrPull",
    },
    Kind {
        ends: &["ghcr.io"],
        login: "docker login ghcr.io, with a token that has read:packages; a private package looks as if it weren't there",
    },
    Kind {
        ends: &["quay.io"],
        login: "docker login quay.io, with an account or robot that may read it; a private repository looks as if it weren't there",
    },
    Kind {
        ends: &["registry.redhat.io", "registry.connect.redhat.com"],
        login: "docker login HOST, with a Red Hat account or a registry service account",
    },
    Kind {
        ends: &["registry.gitlab.com"],
        login: "docker login registry.gitlab.com, with a deploy token that has read_registry",
    },
    Kind {
        ends: &["nvcr.io"],
        login: "docker login nvcr.io, with the user $oauthtoken and an API key",
    },
    Kind {
        ends: &["mcr.microsoft.com", "registry.k8s.io"],
        login: "check the repository's name: this registry has no private ones",
    },
];

/// What to do when a registry refuses access.
pub(super) fn login(host: &str) -> &'static str {
    let name = host.split(':').next().unwrap_or(host);
    let fits = |end: &&str| match end.strip_prefix('.') {
        Some(_) => name.ends_with(end),
        None => name == *end || name.ends_with(&format!(".{end}")),
    };
    KINDS.iter().find(|kind| kind.ends.iter().any(fits)).map_or(
        "log in to the registry (docker login) and check the repository's name: private ones hide",
        |kind| kind.login,
    )
}

/// What to do when a host can't be reached.
pub(super) fn reach(host: &str) -> &'static str {
    let name = host.split(':').next().unwrap_or(host);
    if name.ends_with(".svc") || name.ends_with(".svc.cluster.local") || name.ends_with(".local") {
        "this name is known inside the cluster only: run there, or give the images with --images"
    } else {
        "check the host's name, the network and (for a certificate) --registry-ca; what only the cluster reaches can be given with --images"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_known_by_their_hosts() {
        for (host, says) in [
            ("registry-1.docker.io", "Docker Hub"),
            ("auth.docker.io", "Docker Hub"),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "aws ecr"),
            ("public.ecr.aws", "docker logout public.ecr.aws"),
            ("europe-docker.pkg.dev", "gcloud"),
            ("gcr.io", "gcloud"),
            ("eu.gcr.io", "gcloud"),
            ("myreg.azurecr.io", "az acr login"),
            ("ghcr.io", "read:packages"),
            ("quay.io", "docker login quay.io"),
            ("notquay.io", "docker login)"),
            ("registry.example.com:5000", "docker login)"),
        ] {
            assert!(login(host).contains(says), "{host}: {}", login(host));
        }
        let internal = "image-registry.openshift-image-registry.svc:5000";
        assert!(reach(internal).contains("inside the cluster"));
        assert!(reach("registry.example.com").contains("check the host's name"));
    }
}
