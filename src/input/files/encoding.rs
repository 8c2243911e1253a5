//! From bytes to text as kubectl does it (cli-runtime `resource/visitor.go`: `unicode.BOMOverride`): UTF-16 by its byte
//! order mark, otherwise UTF-8 in which what is broken becomes U+FFFD.

/// The text of a file, without byte order marks at its beginning and at the beginning of lines: files that were put
/// together have them in between.
pub(super) fn decode(bytes: Vec<u8>) -> String {
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    };
    if !text.contains('\u{feff}') {
        return text;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    text.replace("\n\u{feff}", "\n")
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        // Half a character at the end.
        _ => 0xfffd,
    });
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_as_kubectl_decodes_it() {
        let utf16 = |text: &str, bom: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let units = text.encode_utf16().flat_map(bytes);
            bom.into_iter().chain(units).collect::<Vec<u8>>()
        };
        for (bytes, text) in [
            (b"plain".to_vec(), "plain"),
            (Vec::new(), ""),
            ("\u{feff}mark".as_bytes().to_vec(), "mark"),
            ("a\n\u{feff}b".as_bytes().to_vec(), "a\nb"),
            (b"caf\xe9 \xff".to_vec(), "caf\u{fffd} \u{fffd}"),
            (utf16("é😀", [0xff, 0xfe], u16::to_le_bytes), "é😀"),
            (utf16("é😀", [0xfe, 0xff], u16::to_be_bytes), "é😀"),
            (vec![0xff, 0xfe, b'a', 0, b'b'], "a\u{fffd}"),
            (vec![0xff, 0xfe, 0x3d, 0xd8], "\u{fffd}"),
        ] {
            assert_eq!(decode(bytes.clone()), text, "{bytes:?}");
        }
    }
}
