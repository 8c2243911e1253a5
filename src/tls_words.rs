//! What TLS errors mean, in plain words: rustls speaks to programmers.

/// A certificate error as rustls writes it, in words that say what to do; any other text as it is.
pub(crate) fn plain(text: &str) -> String {
    if text.contains("CaUsedAsEndEntity") {
        // Go accepts such a certificate where it is trusted itself; webpki never does.
        return "its certificate is that of a certificate authority (CA:TRUE), not a server's; give it one that the authority has signed".to_owned();
    }
    if text.contains("UnknownIssuer") {
        return "its certificate is signed by nobody that is trusted here".to_owned();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programmers_write_is_put_into_words() {
        let text = "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))";
        assert!(plain(text).contains("not a server's"));
        assert!(
            plain("invalid peer certificate: UnknownIssuer").contains("nobody that is trusted")
        );
        assert_eq!(plain("Connection refused"), "Connection refused");
    }
}
