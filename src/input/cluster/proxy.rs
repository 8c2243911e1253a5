//! Which proxy leads to the API server, as Go's `golang.org/x/net/http/httpproxy` (and so kubectl) decides. kube-rs
//! compares NO_PROXY with the proxy's own address, and lets it override a kubeconfig's `proxy-url`.

use std::net::IpAddr;

/// The proxy variables of the environment; lower-case names win, as in Go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `NO_PROXY`.
    pub no: Option<String>,
}

/// The proxy for a server. A `proxy-url` of the kubeconfig always wins.
pub(super) fn proxy_for(
    server: &http::Uri,
    explicit: Option<&str>,
    variables: &ProxyVariables,
) -> Option<String> {
    if let Some(explicit) = explicit.filter(|url| !url.is_empty()) {
        return Some(normal(explicit));
    }
    let variable = if server.scheme_str() == Some("http") {
        &variables.http
    } else {
        &variables.https
    };
    let proxy = variable.as_deref().filter(|url| !url.is_empty())?;
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = server
        .port_u16()
        .unwrap_or(if server.scheme_str() == Some("http") {
            80
        } else {
            443
        });
    let excluded = excluded(host, port, variables.no.as_deref().unwrap_or_default());
    (!excluded).then(|| normal(proxy))
}

/// A proxy without a scheme is http; kube-rs knows socks5 and resolves names through it as socks5h says.
fn normal(proxy: &str) -> String {
    match proxy.split_once("://") {
        None => format!("http://{proxy}"),
        Some(("socks5h", rest)) => format!("socks5://{rest}"),
        Some(_) => proxy.to_owned(),
    }
}

fn excluded(host: &str, port: u16, no_proxy: &str) -> bool {
    let ip = host.parse::<IpAddr>().ok();
    // Never through a proxy, whatever NO_PROXY says.
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    no_proxy
        .split(',')
        .map(|entry| entry.trim().to_lowercase())
        .filter(|e| !e.is_empty())
        .any(|entry| {
            if entry == "*" {
                return true;
            }
            if let (Some(ip), Some((network, bits))) = (ip, entry.split_once('/')) {
                return in_network(ip, network, bits);
            }
            let (name, wanted) = match entry.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
                _ => (entry.as_str(), None),
            };
            if wanted.is_some_and(|wanted| wanted != port) {
                return false;
            }
            if let Some(ip) = ip {
                return name.trim_matches(['[', ']']).parse() == Ok(ip);
            }
            let host = host.to_lowercase();
            let name = name.strip_prefix('*').unwrap_or(name);
            match name.strip_prefix('.') {
                Some(_) => host.ends_with(name),
                None => host == name || host.ends_with(&format!(".{name}")),
            }
        })
}

fn in_network(ip: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            ip.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            ip.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_chosen_as_kubectl_chooses_them() {
        let proxy = "http://proxy.corp:3128";
        for (server, no, explicit, expected) in [
            ("https://api.example.com:6443", "", None, Some(proxy)),
            ("https://10.1.2.3:6443", "10.1.2.3", None, None),
            ("https://10.1.2.3:6443", "10.0.0.0/8", None, None),
            ("https://11.1.2.3:6443", "10.0.0.0/8", None, Some(proxy)),
            ("https://10.1.2.3:6443", "10.1.2.3:443", None, Some(proxy)),
            ("https://api.example.com", "example.com", None, None),
            ("https://example.com", ".example.com", None, Some(proxy)),
            ("https://api.example.com", ".example.com", None, None),
            ("https://api.example.com", "*.example.com", None, None),
            ("https://badexample.com", "example.com", None, Some(proxy)),
            ("https://api.example.com", "*", None, None),
            ("https://localhost:6443", "", None, None),
            ("https://127.0.0.1:6443", "", None, None),
            ("https://[::1]:6443", "", None, None),
            (
                "https://api.example.com",
                "*",
                Some("socks5h://p:1080"),
                Some("socks5://p:1080"),
            ),
            ("http://api.example.com", "", None, None),
        ] {
            let variables = ProxyVariables {
                https: Some("proxy.corp:3128".to_owned()),
                http: None,
                no: Some(no.to_owned()),
            };
            let got = proxy_for(&server.parse().unwrap(), explicit, &variables);
            assert_eq!(got.as_deref(), expected, "{server} NO_PROXY={no}");
        }
    }
}
