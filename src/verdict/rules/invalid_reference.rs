//! `invalid-reference`: no image that the kubelet can parse.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "invalid-reference",
    severity: Severity::Error,
    milder: None,
    summary: "the kubelet can't parse the image's name",
    advice: "write the image as [HOST/]NAME[:TAG][@DIGEST]",
    meaning: "\
The text in `image:` is no reference, so the kubelet refuses it before anything is pulled. In manifests that look \
unrendered (`{{ … }}`, `$IMAGE`) the outcome is unknown instead: render them first.",
    messages: &[Message {
        by: "the kubelet",
        seen: Seen::Status,
        text: "InvalidImageName",
    }],
    why: "\
Capital letters in a repository's name, a scheme (`https://`) in front of it, a blank or line break behind it, an empty \
value, or a variable that nothing replaced.",
    fixes: &[
        "Write `[HOST[:PORT]/]NAME[:TAG][@sha256:…]`; the name in small letters.",
        "Render templates before they are checked: `helm template`, `kustomize build`, `envsubst`.",
    ],
    snippet: None,
    examples: &[
        Example {
            thread: "instrumenta/kubeval#256",
            story: "`${PHP_FPM_IMAGE}` was never replaced; the pod got InvalidImageName, and the reporter asked for a check \
                    that sees it before.",
        },
        Example {
            thread: "jupyterhub/zero-to-jupyterhub-k8s#472",
            story: "`None:None`, and in a later comment a name that began with `https://`.",
        },
    ],
};
