//! `--mirror HOST[/PREFIX]=HOST[/PREFIX]`: images below the first are asked at the second, then where they name.

use super::MirrorConfigError;
use super::registries_conf::{Mirror, RegistriesConf, Serves};
use crate::image::ImageRef;

/// Reads the flags; several for one prefix are tried in their order.
pub(super) fn read(flags: &[String]) -> Result<RegistriesConf, MirrorConfigError> {
    let mut conf = RegistriesConf::default();
    for flag in flags {
        let wrong = |detail: String| MirrorConfigError {
            path: format!("--mirror {flag}"),
            line: None,
            detail,
        };
        let (from, to) = flag
            .split_once('=')
            .ok_or_else(|| wrong("this must be HOST[/PREFIX]=HOST[/PREFIX]".to_owned()))?;
        let (from, to) = (place(from).map_err(wrong)?, place(to).map_err(wrong)?);
        conf.entry(from, "--mirror").mirrors.push(Mirror {
            location: to.to_owned(),
            insecure: false,
            serves: Serves::All,
        });
    }
    Ok(conf)
}

/// A host, with or without a path below it.
fn place(text: &str) -> Result<&str, String> {
    let text = text.trim_end_matches('/');
    if text.contains("://") {
        return Err(format!(
            "{text} must come without a scheme; --plain-http names hosts that speak http"
        ));
    }
    if text.is_empty() {
        return Err("this must be HOST[/PREFIX]=HOST[/PREFIX]".to_owned());
    }
    // Whatever comes below it, it must begin as an image's name does.
    let image = ImageRef::parse_normalized(&format!("{text}/x"))
        .map_err(|error| format!("{text}: {error}"))?;
    let host = text.split('/').next().unwrap_or_default();
    if image.registry.as_deref() != Some(host) {
        return Err(format!("{text} must begin with a registry's host"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::{Mirrors, Route};
    use super::*;

    fn asked(flags: &[&str], image: &str) -> Vec<String> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (mirrors, _) = Mirrors::read(&flags, None).unwrap();
        let Some(Route::Ask(endpoints)) = mirrors.route(&ImageRef::parse(image).unwrap()) else {
            panic!()
        };
        endpoints
            .iter()
            .map(|endpoint| format!("{}/{}", endpoint.host, endpoint.repository))
            .collect()
    }

    #[test]
    fn a_mirror_is_asked_before_the_registry() {
        let hub = "registry-1.docker.io/library/nginx";
        for (flags, image, expected) in [
            (
                &["docker.io=m.example.com"][..],
                "nginx",
                vec!["m.example.com/library/nginx", hub],
            ),
            (
                &["docker.io=m:5000/hub/"],
                "nginx",
                vec!["m:5000/hub/library/nginx", hub],
            ),
            (
                &["docker.io=a.b", "docker.io=c.d"],
                "nginx",
                vec!["a.b/library/nginx", "c.d/library/nginx", hub],
            ),
            (
                &["docker.io/library=a.b", "docker.io=c.d"],
                "nginx",
                vec!["a.b/nginx", hub],
            ),
            (
                &["docker.io/library=a.b"],
                "acme/nginx",
                vec!["registry-1.docker.io/acme/nginx"],
            ),
            (&["docker.io/lib=a.b"], "nginx", vec![hub]),
            (
                &["quay.io=docker.io/q"],
                "quay.io/x",
                vec!["registry-1.docker.io/q/x", "quay.io/x"],
            ),
        ] {
            assert_eq!(asked(flags, image), expected, "{flags:?} {image}");
        }
    }

    #[test]
    fn what_is_no_mirror_is_told() {
        for (flag, says) in [
            ("docker.io", "must be HOST[/PREFIX]=HOST[/PREFIX]"),
            (
                "nginx=m.example.com",
                "nginx must begin with a registry's host",
            ),
            ("docker.io=https://m.example.com", "--plain-http"),
            ("docker.io=", "must be HOST[/PREFIX]=HOST[/PREFIX]"),
            ("docker.io=m.example.com/Hub", "must be lowercase"),
        ] {
            let error = read(&[flag.to_owned()]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("--mirror {flag}: ")) && error.contains(says),
                "{error}"
            );
        }
    }
}
