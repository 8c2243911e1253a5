//! Brings pull secrets from where they are read to where they are used.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::args::PullSecretsFlag;
use crate::input::PullObjects;
use crate::input::cluster::{SecretReader, SecretsFailure};
use crate::model::PullSecret;
use crate::registry::{NotRead, PullSecretSource, Registry, SourceKind};

/// Where the pull secrets of a scan are: the cluster's for a cluster, those among the files for files.
#[derive(Debug)]
pub(super) enum PullSecretsFrom {
    Cluster(SecretReader),
    Files(PullObjects),
}

impl PullSecretsFrom {
    /// Lets a registry client use them, unless the user said not to.
    pub(super) fn give_to(self, registry: Registry, wanted: PullSecretsFlag) -> Registry {
        match wanted {
            PullSecretsFlag::Auto => registry.with_pull_secrets(Arc::new(self)),
            PullSecretsFlag::Never => registry,
        }
    }
}

impl PullSecretSource for PullSecretsFrom {
    fn secret<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<PullSecret>, NotRead>> {
        Box::pin(async move {
            match self {
                Self::Cluster(reader) => reader.secret(namespace, name).await.map_err(not_read),
                Self::Files(objects) => Ok(objects.secret(namespace, name).cloned()),
            }
        })
    }

    fn service_account<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, NotRead>> {
        Box::pin(async move {
            match self {
                Self::Cluster(reader) => reader
                    .service_account(namespace, name)
                    .await
                    .map_err(not_read),
                Self::Files(objects) => Ok(objects
                    .service_account(namespace, name)
                    .map(<[String]>::to_vec)),
            }
        })
    }

    fn kind(&self) -> SourceKind {
        match self {
            Self::Cluster(_) => SourceKind::Cluster,
            Self::Files(_) => SourceKind::Files,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Cluster(reader) => reader.server().to_owned(),
            Self::Files(_) => "files".to_owned(),
        }
    }
}

fn not_read(failure: SecretsFailure) -> NotRead {
    match failure {
        SecretsFailure::Forbidden(words) => NotRead::Forbidden(words),
        SecretsFailure::Failed(words) => NotRead::Failed(words),
    }
}
