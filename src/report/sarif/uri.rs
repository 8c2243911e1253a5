//! Paths as URIs (RFC 3986, RFC 8089).

/// A path as a URI reference, and whether it is relative. Standard input has no path: its name stands for it.
pub(super) fn of(path: &str) -> (String, bool) {
    if path == "-" {
        return ("stdin".to_owned(), true);
    }
    if path.starts_with("https://") || path.starts_with("http://") {
        return (encode(path, b":"), false);
    }
    let path = path.replace('\\', "/");
    if let [letter, b':', b'/', ..] = path.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        return (format!("file:///{}", encode(&path, b":")), false);
    }
    if path.starts_with('/') {
        return (format!("file://{}", encode(&path, b"")), false);
    }
    let relative = path.trim_start_matches("./");
    (encode(relative, b""), true)
}

/// Percent-encodes whatever is neither unreserved nor a slash, nor one of `also`.
fn encode(path: &str, also: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) || also.contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, uri, is_relative) in [
            ("deploy/web.yaml", "deploy/web.yaml", true),
            ("./web.yaml", "web.yaml", true),
            ("../web.yaml", "../web.yaml", true),
            ("a b/c#d%.yaml", "a%20b/c%23d%25.yaml", true),
            ("a:b.yaml", "a%3Ab.yaml", true),
            ("dépôt.yaml", "d%C3%A9p%C3%B4t.yaml", true),
            ("/srv/web.yaml", "file:///srv/web.yaml", false),
            (r"C:\k8s\web.yaml", "file:///C:/k8s/web.yaml", false),
            (r"k8s\web.yaml", "k8s/web.yaml", true),
            (
                "https://example.com/web.yaml",
                "https://example.com/web.yaml",
                false,
            ),
            ("-", "stdin", true),
        ] {
            assert_eq!(of(path), (uri.to_owned(), is_relative), "{path}");
        }
    }
}
