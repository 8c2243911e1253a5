//! `image-unreadable`: what could not be found out.

use super::{Example, Page, Severity};

pub(super) const PAGE: Page = Page {
    name: "image-unreadable",
    severity: Severity::Unknown,
    milder: None,
    summary: "the image could not be read, so nothing is known about it",
    advice: "log in (docker login), check the network, or give the image with --images",
    meaning: "\
The registry refused access, limits the rate of requests, could not be reached, or gave an answer that is no registry's. \
The pods may be fine, or may not: the verdict is `unknown`, which is never `ok`. The run exits with 2, unless something \
else fails or `--allow-unknown` is given.",
    messages: &[],
    why: "\
Nodes pull with credentials, mirrors and networks of their own. The machine that runs this program needs some way to \
the same registries.",
    fixes: &[
        "Log in as docker or podman does (`docker login`, `podman login`), or name a file with `--registry-config`.",
        "Rate limited: log in for a higher limit, or scan again later.",
        "Reached only from inside the cluster: run there, or give the images with `--images`, as an OCI layout or a \
         `docker save` archive.",
    ],
    snippet: None,
    examples: &[Example {
        thread: "jenkinsci/helm-charts#1586",
        story: "Checks of a chart failed now and then with 429, because Docker Hub counts pulls without a login by address, \
                and hosted runners share theirs.",
    }],
};
