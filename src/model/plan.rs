//! What a scan would cost, before anybody is asked.

use std::collections::{BTreeMap, BTreeSet};

/// The most that a scan would ask of registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Each distinct image, sorted by name.
    pub images: Vec<PlannedImage>,
    /// Each host, sorted by name.
    pub hosts: Vec<PlannedHost>,
}

/// An image of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedImage {
    /// The normalised reference.
    pub image: String,
    /// Whom it would be asked of, in order: mirrors first.
    pub asks: Vec<PlannedAsk>,
    /// Why nobody would be asked, where that is so.
    pub unasked: Option<Unasked>,
}

/// A repository that would be asked for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAsk {
    /// The host.
    pub host: String,
    /// The repository there.
    pub repository: String,
    /// The most requests for documents of the image.
    pub requests: usize,
    /// The most that Docker Hub would count as pulls.
    pub pulls: usize,
}

/// Why nobody would be asked for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unasked {
    /// A layout or archive answers.
    Layout,
    /// The cache answers.
    Cache,
    /// It will be unknown; says why.
    Unknown(String),
}

/// A host of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedHost {
    /// Its name.
    pub host: String,
    /// How many images it would be asked for.
    pub images: usize,
    /// The most requests: for documents, for a token of each repository, and the one that learns that tokens are wanted.
    pub requests: usize,
    /// The most that Docker Hub would count as pulls.
    pub pulls: usize,
}

impl Plan {
    /// Adds up images; those of one repository share a token.
    #[must_use]
    pub fn of(mut images: Vec<PlannedImage>) -> Self {
        images.sort_by(|a, b| a.image.cmp(&b.image));
        let mut repositories: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut hosts: BTreeMap<&str, PlannedHost> = BTreeMap::new();
        for ask in images.iter().flat_map(|image| &image.asks) {
            let host = hosts.entry(&ask.host).or_insert_with(|| PlannedHost {
                host: ask.host.clone(),
                images: 0,
                requests: 1,
                pulls: 0,
            });
            let token = repositories.insert((&ask.host, &ask.repository));
            host.images += 1;
            host.requests += ask.requests + usize::from(token);
            host.pulls += ask.pulls;
        }
        let hosts = hosts.into_values().collect();
        Self { images, hosts }
    }

    /// The most requests, to all hosts.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.hosts.iter().map(|host| host.requests).sum()
    }

    /// The most that Docker Hub would count as pulls.
    #[must_use]
    pub fn pulls(&self) -> usize {
        self.hosts.iter().map(|host| host.pulls).sum()
    }
}

impl PlannedImage {
    /// The most requests for documents of the image.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.asks.iter().map(|ask| ask.requests).sum()
    }

    /// The most that Docker Hub would count as pulls.
    #[must_use]
    pub fn pulls(&self) -> usize {
        self.asks.iter().map(|ask| ask.pulls).sum()
    }
}
