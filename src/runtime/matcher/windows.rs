//! Windows builds (containerd/platforms `platform_windows_compat.go`): before Server 2022 host and image must have the
//! same build; since then a host runs images back to the LTSC release before it.

use std::cmp::Reverse;

use super::containerd::LibraryVersion;
use super::{Matcher, Rank};
use crate::image::Platform;
use crate::model::Version;

/// Windows Server 2022, the first with a stable ABI.
const LTSC_2022: u32 = 20_348;
/// Windows Server 2025.
const LTSC_2025: u32 = 26_100;

/// Which images a Windows host runs.
#[derive(Debug, Clone)]
pub struct WindowsMatcher {
    host: Platform,
    library: LibraryVersion,
}

impl WindowsMatcher {
    /// For a node, by the version of its containerd.
    #[must_use]
    pub fn new(host: &Platform, containerd: Option<Version>) -> Self {
        Self::with_library(host, LibraryVersion::of(containerd))
    }

    /// For a host, by the version of the library.
    #[must_use]
    pub fn with_library(host: &Platform, library: LibraryVersion) -> Self {
        Self {
            host: host.clone(),
            library,
        }
    }

    /// Whether an image with this `os.version` runs. None on either side fits everything (HostProcess bases have none).
    #[must_use]
    pub fn accepts(&self, image: &str) -> bool {
        let (Some(host), Some(image)) = (build(&self.host.os_version), build(image)) else {
            return true;
        };
        if (host.0, host.1) != (image.0, image.1) {
            return false;
        }
        let (host, image) = (host.2, image.2);
        if host < LTSC_2022 || self.library < LibraryVersion::V0_2 {
            return host == image;
        }
        let oldest = if host > LTSC_2025 && self.library >= LibraryVersion::Rc2 {
            LTSC_2025
        } else {
            LTSC_2022
        };
        (oldest..=host).contains(&image)
    }
}

impl Matcher for WindowsMatcher {
    /// The highest version is preferred, none comes last (`defaults_windows.go`).
    fn rank(&self, candidate: &Platform) -> Option<Rank> {
        let normal = candidate.normalize(self.library);
        let host = self.host.normalize(self.library);
        let fits = normal.os == host.os
            && normal.architecture == host.architecture
            && self.accepts(&normal.os_version);
        fits.then_some((0, Reverse(0), Reverse(normal.os_version)))
    }
}

/// Major, minor and build of `10.0.20348.2113`.
fn build(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
