//! A small writer of XML 1.0: elements, attributes and text, all of them escaped.

use std::fmt::Write as _;

/// A document that is being written.
#[derive(Debug)]
pub(super) struct Xml {
    out: String,
    open: Vec<&'static str>,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self {
            out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    /// Begins an element with other elements in it; [`Self::end`] ends it.
    pub(super) fn begin(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name);
    }

    /// Ends the element that was begun last.
    pub(super) fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            let _ = writeln!(self.out, "</{name}>");
        }
    }

    /// An element with nothing but text in it; an empty one without.
    pub(super) fn element(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        if text.is_empty() {
            self.out.push_str("/>\n");
        } else {
            self.out.push('>');
            escape(&mut self.out, text, false);
            let _ = writeln!(self.out, "</{name}>");
        }
    }

    /// The whole document; what is open still is ended.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        let _ = write!(self.out, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.out, " {attribute}=\"");
            escape(&mut self.out, value, true);
            self.out.push('"');
        }
    }

    fn indent(&mut self) {
        for _ in 0..self.open.len() {
            self.out.push_str("  ");
        }
    }
}

/// Escapes markup, and replaces what XML 1.0 can't hold at all (§2.2: most control characters, U+FFFE, U+FFFF).
/// In attributes, readers turn line breaks and tabs into blanks unless they are references (§3.3.3).
fn escape(out: &mut String, text: &str, in_attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\n' | '\t' if in_attribute => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\n' | '\t' => out.push(c),
            // A bare carriage return would be read as a line feed (§2.11).
            '\r' => out.push_str("&#13;"),
            c if c.is_ascii_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_what_xml_cannot_hold_is_escaped() {
        for (text, as_text, as_attribute) in [
            ("plain", "plain", "plain"),
            (
                "a<b>&\"c\"",
                "a&lt;b&gt;&amp;\"c\"",
                "a&lt;b&gt;&amp;&quot;c&quot;",
            ),
            ("]]>", "]]&gt;", "]]&gt;"),
            ("a\n\tb", "a\n\tb", "a&#10;&#9;b"),
            (
                "\0\u{1b}[31m\u{ffff}",
                "\u{fffd}\u{fffd}[31m\u{fffd}",
                "\u{fffd}\u{fffd}[31m\u{fffd}",
            ),
        ] {
            let written = |in_attribute| {
                let mut out = String::new();
                escape(&mut out, text, in_attribute);
                out
            };
            assert_eq!(written(false), as_text, "{text:?}");
            assert_eq!(written(true), as_attribute, "{text:?}");
        }
    }

    proptest::proptest! {
        /// Whatever is written is well-formed, and a reader that is not ours reads it back.
        #[test]
        fn any_text_comes_back(text in proptest::prelude::any::<String>()) {
            let mut xml = Xml::new();
            xml.begin("testsuite", &[("name", "s"), ("tests", "1")]);
            xml.begin("testcase", &[("name", text.as_str())]);
            xml.element("failure", &[("message", text.as_str())], &text);
            let read = junit_parser::from_reader(xml.finish().as_bytes()).unwrap();
            let case = &read.suites[0].cases[0];
            let held: String = text
                .chars()
                .map(|c| match c {
                    '\n' | '\t' | '\r' => c,
                    c if c.is_ascii_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
                    c => c,
                })
                .collect();
            proptest::prop_assert_eq!(&case.original_name, &held);
            proptest::prop_assert_eq!(&case.status.failure_as_ref().message, &held);
        }
    }

    #[test]
    fn elements_nest() {
        let mut xml = Xml::new();
        xml.begin("a", &[("x", "1")]);
        xml.element("b", &[], "");
        xml.element("b", &[], "t");
        xml.begin("c", &[]);
        let text = xml.finish();
        assert_eq!(
            text.lines().skip(1).collect::<Vec<_>>(),
            [
                "<a x=\"1\">",
                "  <b/>",
                "  <b>t</b>",
                "  <c>",
                "  </c>",
                "</a>"
            ]
        );
    }
}
