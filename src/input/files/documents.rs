//! Cuts a file into documents and parses each on its own, so that one that is broken takes no other with it.

use std::borrow::Cow;

use serde_json::Value;

use super::positions::Positions;

/// How deep a document may nest: schemas in CustomResourceDefinitions pass 64 levels.
const DEEPEST: usize = 256;

/// One document of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    /// Its text, with the `---` line that begins it.
    pub(super) text: &'a str,
    /// The line of the file that it begins on, from 1: that of its content, after the `---`.
    pub(super) first_line: usize,
    /// How many lines of the file come before `text`.
    pub(super) lines_before: usize,
    /// How many characters of its first line come before `text`: JSON values may share a line.
    pub(super) columns_before: usize,
    /// The line of what follows a `...`, which kubectl does not read.
    pub(super) unread_from: Option<usize>,
    json: bool,
}

/// Why a document could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocumentFailure {
    /// The line of the file, from 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) reason: String,
}

/// Cuts a file: JSON values one after the other, or YAML at lines that begin with `---`.
pub(super) fn split(text: &str) -> Vec<Document<'_>> {
    if text.trim_start().starts_with('{')
        && let Some(documents) = split_json(text)
    {
        return documents;
    }
    split_yaml(text)
}

/// `None` when the text is no JSON: a YAML flow mapping begins alike.
fn split_json(text: &str) -> Option<Vec<Document<'_>>> {
    let mut documents = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut start = 0;
    while let Some(next) = stream.next() {
        next.ok()?;
        let end = stream.byte_offset();
        let piece = text.get(start..end)?;
        let blank = piece.len() - piece.trim_start().len();
        let before = text.get(..start + blank)?;
        let lines_before = lines(before);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        documents.push(Document {
            text: piece.trim_start(),
            first_line: lines_before + 1,
            lines_before,
            columns_before: before.get(line_start..)?.chars().count(),
            unread_from: None,
            json: true,
        });
        start = end;
    }
    Some(documents)
}

fn split_yaml(text: &str) -> Vec<Document<'_>> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && is_separator(line) {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    let mut documents = Vec::new();
    let mut lines_before = 0;
    for pair in starts.windows(2) {
        let [from, to] = *pair else { continue };
        let piece = text.get(from..to).unwrap_or_default();
        let skipped = piece
            .lines()
            .take_while(|line| is_blank(line) || is_separator(line))
            .count();
        let (read, unread_from) = up_to_dots(piece);
        documents.push(Document {
            text: read,
            first_line: lines_before + skipped + 1,
            lines_before,
            columns_before: 0,
            unread_from: unread_from.map(|line| lines_before + line),
            json: false,
        });
        lines_before += lines(piece);
    }
    documents
}

/// A document ends at a line `...`. kubectl hands the whole piece up to the next `---` to a parser that reads one
/// document, so that what follows is lost: its line within the piece, from 1, if there is something.
fn up_to_dots(piece: &str) -> (&str, Option<usize>) {
    let mut end = 0;
    for line in piece.split_inclusive('\n') {
        if line.trim_end() == "..." && line.starts_with("...") {
            break;
        }
        end += line.len();
    }
    let (read, rest) = piece.split_at(end);
    let lost = rest
        .lines()
        .skip(1)
        .position(|line| !is_blank(line) && line.trim_end() != "...");
    (read, lost.map(|at| lines(read) + at + 2))
}

/// `---` alone, or with a comment or content after a blank.
fn is_separator(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

impl Document<'_> {
    /// The line of the file, from 1, on which the value at a route begins. Reads the document once more.
    pub(super) fn line_of(&self, route: &str) -> Option<usize> {
        Positions::of_route(self, route)
            .of_node(route)
            .map(|(line, _)| line)
    }

    /// The template that helm rendered it from, which it writes above: `# Source: web/templates/deployment.yaml`.
    pub(super) fn template(&self) -> Option<&str> {
        self.text
            .lines()
            .take_while(|line| is_blank(line) || is_separator(line))
            .find_map(|line| line.strip_prefix("# Source: "))
            .map(str::trim)
    }

    /// The text as the parser for places takes it: it takes no tabs in what looks like JSON.
    pub(super) fn for_places(&self) -> Cow<'_, str> {
        if self.looks_like_json() && self.text.contains('\t') {
            Cow::Owned(self.text.replace('\t', " "))
        } else {
            Cow::Borrowed(self.text)
        }
    }

    fn looks_like_json(&self) -> bool {
        self.json || self.content().starts_with('{')
    }

    /// The text from its first line with content.
    fn content(&self) -> &str {
        let mut rest = self.text;
        while let Some((line, after)) = rest.split_once('\n')
            && (is_blank(line) || is_separator(line))
        {
            rest = after;
        }
        rest.trim_start()
    }

    /// Parses the document; an empty one is `null`.
    pub(super) fn parse(&self) -> Result<Value, DocumentFailure> {
        if self.json {
            return serde_json::from_str(self.text).map_err(|error| DocumentFailure {
                line: self.lines_before + error.line(),
                reason: without_places(&error.to_string()),
            });
        }
        // JSON among YAML: with tabs it is no YAML to this parser, but it is to kubectl's.
        if self.looks_like_json()
            && let Ok(value) = serde_json::from_str(self.content())
        {
            return Ok(value);
        }
        // What kubectl accepts (YAML 1.1 by way of sigs.k8s.io/yaml). The budget must let big dumps through, and its
        // limits on aliases must not let a bomb through.
        let options = serde_saphyr::options! {
            legacy_octal_numbers: true,
            // Kept comments are limited in number, and manifests have hundreds of lines of them.
            emit_comments: false,
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
            budget: serde_saphyr::budget! {
                max_events: 500_000_000,
                max_nodes: 200_000_000,
                max_depth: DEEPEST,
                max_total_scalar_bytes: 2_000_000_000,
            },
        };
        serde_saphyr::from_str_with_options(self.text, options).map_err(|error| {
            let at = error.location();
            let line = at
                .and_then(|at| usize::try_from(at.line()).ok())
                .filter(|line| *line > 0);
            DocumentFailure {
                line: line.map_or(self.first_line, |line| self.lines_before + line),
                reason: reason(&error.without_snippet().to_string()),
            }
        })
    }
}

/// What a YAML error says, without its place: lines are counted from the document's start there.
fn reason(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first.contains("budget breached") {
        return "the document is too large, or expands to too much by aliases".to_owned();
    }
    // "error: line 2 column 5: …"
    let mut rest = first;
    for head in ["error", "line "] {
        if let Some((before, after)) = rest.split_once(": ")
            && before.starts_with(head)
        {
            rest = after;
        }
    }
    without_places(rest)
}

/// Takes out ` at line 2, column 7`: the parser counts from the document's start, and the line is told beside the file.
fn without_places(reason: &str) -> String {
    let mut pieces = reason.split(" at line ");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = match rest
            .strip_prefix(", column ")
            .or_else(|| rest.strip_prefix(" column "))
        {
            Some(column) => column.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        kept.push_str(rest);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_count_from_the_document_are_left_out() {
        for (text, kept) in [
            ("found a tab at line 2, column 7", "found a tab"),
            ("x at line 12, column 1: y at line 3", "x: y"),
            ("EOF at line 1 column 5", "EOF"),
            ("nothing of the kind", "nothing of the kind"),
        ] {
            assert_eq!(without_places(text), kept);
        }
    }
}
