//! What asking would cost, worked out without asking anybody: no registry, no credential helper, no cluster.

use super::mirrors::{Endpoint, Route};
use super::resolve::Registry;
use crate::image::{ImageError, ImageRef};
use crate::model::{PlannedAsk, PlannedImage, PullAccess, Unasked};

/// The one registry that counts manifests strictly.
pub(super) const DOCKER_HUB: &str = "registry-1.docker.io";

impl Registry {
    /// The most that an image would cost for pods with this access, as long as nothing has to be asked for twice.
    pub async fn plan(&self, image: &ImageRef, access: &PullAccess) -> PlannedImage {
        let planned = |asks, unasked| PlannedImage {
            image: image.to_string(),
            asks,
            unasked,
        };
        if self.layouts.has(image) {
            return planned(Vec::new(), Some(Unasked::Layout));
        }
        let holder = self.pull_secrets.holder(access);
        let unknown = |error: ImageError| Some(Unasked::Unknown(error.to_string()));
        let endpoints = match self.mirrors.route(image) {
            Some(Route::Ask(endpoints)) => endpoints,
            Some(Route::Forbidden(why)) => {
                return planned(Vec::new(), unknown(ImageError::Forbidden { why }));
            }
            None => {
                let host = image.repository.split('/').next().unwrap_or_default();
                let host = host.to_owned();
                return planned(Vec::new(), unknown(ImageError::NoHost { host }));
            }
        };
        let kept = self.offline || image.digest.is_some();
        if kept && self.cache.answer(image, holder.as_deref()).await.is_some() {
            return planned(Vec::new(), Some(Unasked::Cache));
        }
        if self.offline {
            return planned(Vec::new(), unknown(ImageError::Offline));
        }
        let allowed: Vec<&Endpoint> = endpoints.iter().filter(|e| self.allows(e)).collect();
        if allowed.is_empty() {
            let host = endpoints.last().map(|e| e.host.clone()).unwrap_or_default();
            return planned(Vec::new(), unknown(ImageError::NotAllowed { host }));
        }
        let known = self.cache.memory(image, holder.as_deref()).await.is_some();
        let head = usize::from(image.digest.is_none() && known);
        let last = allowed.len() - 1;
        let asks = allowed.iter().enumerate().map(|(at, endpoint)| PlannedAsk {
            host: endpoint.host.clone(),
            repository: endpoint.repository.clone(),
            // A mirror that has the image spares the others; the most is that only the last has it.
            requests: head + if at == last { 2 } else { 1 },
            pulls: usize::from(endpoint.host == DOCKER_HUB),
        });
        planned(asks.collect(), None)
    }
}
