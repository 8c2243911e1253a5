//! Where the values of a document stand: routes like `/spec/containers/0/image` to line and column.

use std::collections::{BTreeSet, HashMap};

use granit_parser::{Event, Options, Parser, Span};

use super::documents::Document;

/// Routes deeper than this are not followed.
const DEEPEST: usize = 64;

/// The places of what findings point at: images, and the objects of lists.
#[derive(Debug, Default)]
pub(super) struct Positions {
    places: HashMap<String, (usize, usize)>,
    /// One more value that is wanted.
    also: Option<String>,
}

/// A mapping or sequence that is being read.
enum Level {
    /// The key that comes next is read, or is this one.
    Mapping(Option<String>),
    /// The index that comes next.
    Sequence(usize),
}

impl Positions {
    /// Reads the places of a document that has been parsed already: of the values of `image_keys`, and of the objects of
    /// lists. What can't be placed simply has no place.
    pub(super) fn of(document: &Document<'_>, image_keys: &BTreeSet<&str>) -> Self {
        Self::default().read(document, image_keys)
    }

    /// The place of one value.
    pub(super) fn of_route(document: &Document<'_>, route: &str) -> Self {
        let positions = Self {
            also: Some(route.to_owned()),
            ..Self::default()
        };
        positions.read(document, &BTreeSet::new())
    }

    fn read(self, document: &Document<'_>, image_keys: &BTreeSet<&str>) -> Self {
        let mut positions = self;
        let mut levels: Vec<Level> = Vec::new();
        let text = document.for_places();
        // Kept comments are limited in number, and manifests have hundreds of lines of them.
        let mut options = Options::default();
        options.emit_comments = false;
        for next in Parser::new_from_str_with_options(&text, options) {
            let Ok((event, span)) = next else { break };
            match event {
                Event::Scalar(text, ..) => {
                    if let Some(Level::Mapping(key @ None)) = levels.last_mut() {
                        *key = Some(text.into_owned());
                        continue;
                    }
                    positions.note(&levels, &span, document, image_keys);
                    advance(&mut levels);
                }
                Event::Alias(_) => {
                    // An alias can stand for a key as well.
                    if let Some(Level::Mapping(key @ None)) = levels.last_mut() {
                        *key = Some(String::new());
                        continue;
                    }
                    positions.note(&levels, &span, document, image_keys);
                    advance(&mut levels);
                }
                Event::MappingStart(..) => {
                    positions.note(&levels, &span, document, image_keys);
                    levels.push(Level::Mapping(None));
                }
                Event::SequenceStart(..) => {
                    positions.note(&levels, &span, document, image_keys);
                    levels.push(Level::Sequence(0));
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    levels.pop();
                    advance(&mut levels);
                }
                _ => {}
            }
        }
        positions
    }

    /// The place of a value, or of the nearest thing around it that has one: an image may come from an anchor.
    pub(super) fn nearest(&self, route: &str) -> Option<(usize, usize)> {
        let mut route = route;
        loop {
            if let Some(place) = self.of_node(route) {
                return Some(place);
            }
            (route, _) = route
                .rsplit_once('/')
                .filter(|(above, _)| !above.is_empty())?;
        }
    }

    /// The line (from 1, in the file) and column (from 1) of a value.
    pub(super) fn of_node(&self, route: &str) -> Option<(usize, usize)> {
        self.places.get(route).copied()
    }

    fn note(
        &mut self,
        levels: &[Level],
        span: &Span,
        document: &Document<'_>,
        image_keys: &BTreeSet<&str>,
    ) {
        let wanted = match levels {
            [] => true,
            [.., Level::Mapping(Some(key))] => {
                image_keys.contains(key.as_str()) || holds_images(key)
            }
            [.., Level::Mapping(Some(key)), Level::Sequence(_)] if holds_images(key) => true,
            // The objects of a list.
            [Level::Mapping(Some(key)), .., Level::Sequence(_)] => {
                key == "items" && levels.len().is_multiple_of(2)
            }
            _ => false,
        };
        if !(wanted || self.also.is_some()) || levels.len() > DEEPEST {
            return;
        }
        let route: String = levels
            .iter()
            .map(|level| match level {
                Level::Mapping(key) => format!("/{}", key.as_deref().unwrap_or_default()),
                Level::Sequence(at) => format!("/{at}"),
            })
            .collect();
        if !wanted && self.also.as_deref() != Some(route.as_str()) {
            return;
        }
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let before = if line == 1 {
            document.columns_before
        } else {
            0
        };
        let place = (document.lines_before + line, before + column);
        self.places.insert(route, place);
    }
}

/// Whether the items of a list are containers or volumes. What YAML merges into them has no place of its own.
fn holds_images(key: &str) -> bool {
    matches!(
        key,
        "containers" | "initContainers" | "ephemeralContainers" | "volumes"
    )
}

/// A value is complete: the next key or index follows.
fn advance(levels: &mut [Level]) {
    match levels.last_mut() {
        Some(Level::Mapping(key)) => *key = None,
        Some(Level::Sequence(at)) => *at += 1,
        None => {}
    }
}
