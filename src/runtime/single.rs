//! A single manifest: no runtime compares its config's architecture when it pulls, so the kernel decides
//! (runtime.md §0 rows 13, 14, 18 and §10 "whoever lies, the ELF decides").

use super::matcher::Matcher as _;
use super::matcher::containerd::LibraryVersion;
use super::outcome::{Cause, Certainty, NodeClass, Outcome, OutcomeKind, Seen};
use crate::image::Platform;
use crate::model::{RuntimeName, Version};

/// How far the kernel of a node can run programs built for another platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// The same architecture, and no more of the CPU than every such node has.
    Natively,
    /// The same architecture, but a level of CPU that the API doesn't show.
    IfCpuHas,
    /// A 32-bit predecessor, if CPU and kernel still support it.
    IfThirtyTwoBit,
    /// Another architecture.
    Not,
}

/// Whether programs for `image` run on a node of platform `node`; both normalised, OS aside.
/// 386 on amd64: needs IA32 emulation in the kernel (runtime.md §5.3). arm on arm64: needs AArch32 at EL0 (§5.2).
pub(crate) fn speaks(node: &Platform, image: &Platform) -> Speaks {
    let node_arch = node.architecture.as_str();
    let image_arch = image.architecture.as_str();
    if node_arch == image_arch {
        let (have, need) = (cpu_level(node), cpu_level(image));
        return if need <= have {
            Speaks::Natively
        } else {
            Speaks::IfCpuHas
        };
    }
    match (node_arch, image_arch) {
        ("amd64", "386") | ("arm64", "arm") => Speaks::IfThirtyTwoBit,
        _ => Speaks::Not,
    }
}

/// The variant as something to compare: `v8.1` → (8, 1). What every CPU of the architecture has counts as least.
fn cpu_level(platform: &Platform) -> (u32, u32) {
    let least = match platform.architecture.as_str() {
        "arm64" => (8, 0),
        "arm" => (7, 0),
        _ => (1, 0),
    };
    let Some(version) = platform.variant.strip_prefix('v') else {
        return least;
    };
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (major, minor),
        _ => least,
    }
}

/// What happens to a manifest that the runtime takes without looking at its platform.
pub(super) fn outcome(config: &Platform, class: &NodeClass) -> Outcome {
    let node = class.platform.normalize(LibraryVersion::LATEST);
    let image = config.normalize(LibraryVersion::LATEST);
    if config.architecture.is_empty() || config.os.is_empty() || image.is_unknown() {
        return Outcome::depends(
            "the image's config names no platform, and its bytes were not read".to_owned(),
        );
    }
    if image.os != node.os {
        return other_os(&image, &node, class);
    }
    if node.os == "windows" && image.architecture == node.architecture {
        return windows_build(&image, &node, class);
    }
    match speaks(&node, &image) {
        Speaks::Natively => Outcome::runs(),
        Speaks::IfCpuHas => Outcome::depends(format!(
            "the image is built for {image}, and the node's CPU level can't be seen"
        )),
        Speaks::IfThirtyTwoBit => Outcome::fallback(lesser_platform(&node, &image)),
        Speaks::Not => exec_format_error(
            format!(
                "the image is a single manifest for {image}, which a node pulls whatever its own platform"
            ),
            class,
        ),
    }
}

/// Says what a 32-bit fallback needs.
pub(crate) fn lesser_platform(node: &Platform, image: &Platform) -> String {
    let needs = match node.architecture.as_str() {
        "arm64" => {
            "a CPU and kernel with 32-bit support: not Graviton4, Axion, Grace or Apple silicon, nor kernels with 16k or 64k pages"
        }
        _ => "a kernel with IA32 emulation (not booted with ia32_emulation=0)",
    };
    format!("runs as {image} on {}, which needs {needs}", short(node))
}

/// `exec format error`, in the words of the low-level runtime that usually comes with the runtime's version.
///
/// runc since 1.2 exits with 255, before with 1; containerd 2.0 and Docker 28 ship it, and CRI-O uses crun by default
/// from 1.31 (runtime.md §4.3, §10). The CRI status has an empty message: the text is in the log alone.
pub(super) fn exec_format_error(reason: String, class: &NodeClass) -> Outcome {
    let runtime = &class.runtime;
    let at_least = |major, minor| {
        runtime
            .version
            .is_none_or(|version| version >= Version::new(major, minor, 0))
    };
    let (text, exit_code) = match runtime.name {
        RuntimeName::CriO if at_least(1, 31) => ("Exec format error", 1),
        RuntimeName::Containerd if at_least(2, 0) => ("exec format error", 255),
        RuntimeName::Docker if at_least(28, 0) => ("exec format error", 255),
        _ => ("exec format error", 1),
    };
    if let Some(evidence) = &class.emulation {
        return Outcome::depends(format!(
            "{reason}; {evidence} suggests that the nodes emulate it"
        ))
        .expecting_exit(text, exit_code);
    }
    Outcome::new(
        OutcomeKind::ExecFails,
        Certainty::Likely,
        Cause::ForeignManifest,
        reason,
    )
    .expecting(Seen::Status, "CrashLoopBackOff")
    .expecting_exit(text, exit_code)
}

/// Row 14: the config names another OS.
fn other_os(image: &Platform, node: &Platform, class: &NodeClass) -> Outcome {
    let reason = format!(
        "the image is a single manifest for {image}, the node is {}",
        short(node)
    );
    let likely = Certainty::Likely;
    if node.os == "windows" {
        return Outcome::pull_fails(likely, Cause::ForeignManifest, reason, "");
    }
    match class.runtime.name {
        RuntimeName::Docker => Outcome::pull_fails(likely, Cause::ForeignManifest, reason, ""),
        RuntimeName::Containerd if class.runtime.at_least(&RuntimeName::Containerd, 2, 3) => {
            Outcome::create_fails(
                likely,
                Cause::ForeignManifest,
                reason,
                "CreateContainerError",
                "failed to create containerd container: parent snapshot",
            )
        }
        _ if speaks(node, image) == Speaks::Not => exec_format_error(reason, class),
        _ => Outcome::depends(format!(
            "{reason}, and its bytes, which decide, were not read"
        )),
    }
}

/// A Windows image of another build is refused when it starts (containerd) or is pulled (Docker).
fn windows_build(image: &Platform, node: &Platform, class: &NodeClass) -> Outcome {
    let matcher = super::matcher::windows::WindowsMatcher::new(node, class.runtime.version);
    if matcher.rank(image).is_some() {
        return Outcome::runs();
    }
    let reason = format!(
        "the image is for Windows build {}, the node has {}",
        image.os_version, node.os_version
    );
    match class.runtime.name {
        RuntimeName::Docker => Outcome::pull_fails(
            Certainty::Likely,
            Cause::ForeignManifest,
            reason,
            format!(
                "a Windows version {}-based image is incompatible with a {} host",
                image.os_version, node.os_version
            ),
        ),
        _ => Outcome::create_fails(
            Certainty::Likely,
            Cause::ForeignManifest,
            reason,
            "StartError",
            "The container operating system does not match the host operating system.",
        ),
    }
}

/// `os/arch` without the variant: how Kubernetes labels nodes.
pub(crate) fn short(platform: &Platform) -> String {
    format!("{}/{}", platform.os, platform.architecture)
}
