//! `-f`: files, directories and standard input, read as kubectl reads them. A broken document is one entry of what was
//! not seen; the others are read all the same.

mod documents;
mod encoding;
mod fetch;
mod kustomize;
mod positions;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::fetch::{FetchError, ManifestUrl};
pub use self::kustomize::{KustomizeError, build as kustomize};

use self::documents::{Document, DocumentFailure};
use self::positions::Positions;
use super::objects::{Object, ObjectError, Reader, Role, Routes, Template};
use super::unread::seems_to_run_images;
use crate::model::{Incomplete, Location};

/// The largest file that is read: dumps of big clusters have tens of megabytes.
const LARGEST_FILE: u64 = 1024 * 1024 * 1024;
/// How deep directories are followed with `-R`.
const DEEPEST: usize = 64;
/// How deep lists may nest.
const DEEPEST_LIST: usize = 8;

/// Stack for reading documents: parsing recurses with their depth, which [`documents`] bounds.
const STACK: usize = 64 * 1024 * 1024;

/// Why `-f` could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A path that isn't there, or can't be opened.
    #[error("the path {path:?} can't be read: {source}")]
    Path {
        /// The path as given.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No thread to read with.
    #[error("the files can't be read: {0}")]
    Thread(std::io::Error),
    /// A directory without manifests.
    #[error(
        "there are no .yaml, .yml or .json files in {0:?} (with -R also in the directories below it)"
    )]
    Empty(String),
    /// Nothing but blank lines and comments: what an unfinished pipe leaves.
    #[error("there are no objects in {0}")]
    NoObjects(String),
}

/// What is to be read.
#[derive(Debug, Default)]
pub struct Sources {
    /// Paths, `-` for standard input, and names of what is loaded.
    pub names: Vec<String>,
    /// Go into directories of directories.
    pub recursive: bool,
    /// What has been read already, by its name: from the web, or made by kustomize.
    pub loaded: BTreeMap<String, Vec<u8>>,
}

/// What files hold.
#[derive(Debug, Default)]
pub struct FilesRead {
    /// The objects that matter.
    pub objects: Vec<Object>,
    /// How many documents there were, of any kind.
    pub documents: usize,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
    /// Objects that seem to run images, of kinds that are not read: how many of each, and where the first begins.
    unread: BTreeMap<String, (usize, Location)>,
}

/// Reads all sources; `-` is `stdin`.
///
/// # Errors
/// When a path isn't there.
pub fn read(
    sources: Sources,
    stdin: &mut (dyn Read + Send),
    reader: &Reader,
) -> Result<FilesRead, FilesError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                let by = By {
                    reader,
                    image_keys: reader.custom().image_keys(),
                };
                read_sources(sources, stdin, &by)
            })
            .map_err(FilesError::Thread)?;
        let died = |_| Err(FilesError::Thread(std::io::Error::other("the reader died")));
        thread.join().unwrap_or_else(died)
    })
}

/// What objects are read by.
struct By<'r> {
    reader: &'r Reader,
    /// The keys under which images stand.
    image_keys: BTreeSet<&'r str>,
}

fn read_sources(
    sources: Sources,
    stdin: &mut dyn Read,
    by: &By<'_>,
) -> Result<FilesRead, FilesError> {
    let Sources {
        names: sources,
        recursive,
        mut loaded,
    } = sources;
    let mut read = FilesRead::default();
    let mut seen = std::collections::HashSet::new();
    for source in &sources {
        // A file that is named twice is read once: its workloads are there once.
        if !seen.insert(source.as_str()) {
            continue;
        }
        let failed = |error: std::io::Error| FilesError::Path {
            path: source.clone(),
            source: error,
        };
        if let Some(bytes) = loaded.remove(source) {
            read.file(source, bytes, by);
            continue;
        }
        if source == "-" {
            let mut bytes = Vec::new();
            stdin
                .take(LARGEST_FILE)
                .read_to_end(&mut bytes)
                .map_err(failed)?;
            read.file("-", bytes, by);
            continue;
        }
        let path = Path::new(source);
        if !std::fs::metadata(path).map_err(failed)?.is_dir() {
            read.file(source, bounded(path).map_err(failed)?, by);
            continue;
        }
        let mut files = Vec::new();
        manifests(path, recursive, 0, &mut files).map_err(failed)?;
        if files.is_empty() {
            return Err(FilesError::Empty(source.clone()));
        }
        for file in files {
            let name = file.display().to_string();
            match bounded(&file) {
                Ok(bytes) => read.file(&name, bytes, by),
                Err(error) => read.not_read(&name, error.to_string(), ""),
            }
        }
    }
    if read.documents == 0 && read.incomplete.is_empty() {
        return Err(FilesError::NoObjects(name_all(&sources)));
    }
    read.report_unread();
    Ok(read)
}

fn name_all(sources: &[String]) -> String {
    let shown = sources.iter().map(|source| match source.as_str() {
        "-" => "standard input",
        path => path,
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The manifests of a directory, sorted; hidden directories too, as in kubectl. Linked directories are not entered, as
/// Go's `filepath.Walk` does not: a link upwards would never end.
fn manifests(
    dir: &Path,
    recursive: bool,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if recursive && !path.is_symlink() && depth < DEEPEST {
                manifests(&path, recursive, depth + 1, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(LARGEST_FILE)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl FilesRead {
    fn file(&mut self, name: &str, bytes: Vec<u8>, by: &By<'_>) {
        let text = encoding::decode(bytes);
        for document in documents::split(&text) {
            if let Some(line) = document.unread_from {
                self.not_read(
                    &format!("{name}:{line}"),
                    "kubectl reads nothing between ... and the next ---".to_owned(),
                    "begin the document with ---",
                );
            }
            let before = self.objects.len();
            match document.parse() {
                Ok(Value::Null) => {}
                Ok(value) => self.document(name, &document, value, by),
                Err(DocumentFailure { line, reason }) => {
                    let hint = if document.text.contains("{{") {
                        "it looks like an unrendered template; render it first, as with helm template"
                    } else {
                        "correct the document; the others were checked"
                    };
                    self.not_read(&format!("{name}:{line}"), reason, hint);
                }
            }
            let template = document.template();
            for object in self.objects.iter_mut().skip(before) {
                object.template_comment = template.map(str::to_owned);
            }
        }
    }

    fn document(&mut self, name: &str, document: &Document<'_>, value: Value, by: &By<'_>) {
        self.documents += 1;
        let source = Source {
            name,
            document,
            by,
            positions: OnceCell::new(),
        };
        self.object(&source, value, "", 0);
    }

    /// Reads an object, or each item of a list.
    fn object(&mut self, source: &Source<'_>, mut value: Value, route: &str, depth: usize) {
        let Source { name, document, .. } = source;
        let reader = source.by.reader;
        let is_list = value
            .get("kind")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.ends_with("List"));
        if is_list && depth < DEEPEST_LIST && value.get("items").is_some_and(Value::is_array) {
            let typed = list_type(&value);
            let items = value
                .get_mut("items")
                .and_then(Value::as_array_mut)
                .map(std::mem::take);
            for (at, mut item) in items.unwrap_or_default().into_iter().enumerate() {
                // Items of a `DeploymentList` carry no type of their own.
                if let (Some((api_version, kind)), Some(object)) = (&typed, item.as_object_mut()) {
                    object
                        .entry("apiVersion")
                        .or_insert_with(|| api_version.clone().into());
                    object.entry("kind").or_insert_with(|| kind.clone().into());
                }
                self.object(source, item, &format!("{route}/items/{at}"), depth + 1);
            }
            return;
        }
        match reader.read(&value) {
            Ok(Some(mut object)) => {
                locate(&mut object, name, source.positions(), route);
                object.location = Some(source.location(route));
                self.objects.push(object);
            }
            Ok(None) if seems_to_run_images(&value, reader.custom()) => {
                self.unread(&value, source.location(route));
            }
            Ok(None) => {}
            Err(error) => {
                let hint = "kubectl would refuse this document; correct it, or leave the file out";
                let line = match &error {
                    ObjectError::Field { route: inside, .. } => {
                        document.line_of(&format!("{route}{inside}"))
                    }
                    ObjectError::NoType(_) => None,
                };
                let line = line.unwrap_or_else(|| source.location(route).line);
                self.not_read(&format!("{name}:{line}"), error.to_string(), hint);
            }
        }
    }

    fn unread(&mut self, value: &Value, location: Location) {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let kind = match text("apiVersion").split_once('/') {
            Some((group, _)) => format!("{}.{group}", text("kind")),
            None => text("kind").to_owned(),
        };
        self.unread.entry(kind).or_insert((0, location)).0 += 1;
    }

    /// One entry a kind, however many objects there are of it.
    fn report_unread(&mut self) {
        for (kind, (count, first)) in std::mem::take(&mut self.unread) {
            let objects = if count == 1 { "object" } else { "objects" };
            self.not_read(
                &format!("{count} {objects} of kind {kind} (the first at {}:{})", first.file, first.line),
                "it names images, and it is not known which of them are run".to_owned(),
                "say which under kinds: in .archcheck.yaml (docs/configuration.md); in a live cluster its pods are read",
            );
        }
    }

    fn not_read(&mut self, what: &str, why: String, hint: &str) {
        self.incomplete.push(Incomplete {
            what: what.to_owned(),
            why,
            hint: hint.to_owned(),
            matters: true,
        });
    }
}

/// A document, and what its objects are read with.
struct Source<'d> {
    name: &'d str,
    document: &'d Document<'d>,
    by: &'d By<'d>,
    /// Read when first asked for: most documents hold nothing that is pointed at.
    positions: OnceCell<Positions>,
}

impl Source<'_> {
    fn positions(&self) -> &Positions {
        self.positions
            .get_or_init(|| Positions::of(self.document, &self.by.image_keys))
    }

    /// Where the object at a route begins.
    fn location(&self, route: &str) -> Location {
        let place = self.positions().of_node(route);
        let (line, column) = place.unwrap_or((self.document.first_line, 1));
        Location {
            file: self.name.to_owned(),
            line,
            column,
        }
    }
}

/// `apps/v1`, `Deployment` of a `DeploymentList`; nothing for a plain `List`.
fn list_type(list: &Value) -> Option<(String, String)> {
    let kind = list
        .get("kind")?
        .as_str()?
        .strip_suffix("List")
        .filter(|kind| !kind.is_empty())?;
    Some((
        list.get("apiVersion")?.as_str()?.to_owned(),
        kind.to_owned(),
    ))
}

/// Gives each image the place where it is written.
fn locate(object: &mut Object, file: &str, positions: &Positions, route: &str) {
    let place = |inside: &str| {
        let (line, column) = positions.nearest(&format!("{route}{inside}"))?;
        Some(Location {
            file: file.to_owned(),
            line,
            column,
        })
    };
    match &mut object.role {
        Role::Pod(pod) => {
            let mut template = Template {
                pod: std::mem::take(&mut pod.template),
                routes: Routes::Spec("/spec"),
            };
            template.locate(place);
            pod.template = template.pod;
        }
        Role::Controller(controller) => {
            for template in &mut controller.templates {
                template.locate(place);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> FilesRead {
        from(&["-"], false, text).unwrap()
    }

    fn from(names: &[&str], recursive: bool, text: &str) -> Result<FilesRead, FilesError> {
        let sources = Sources {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            recursive,
            loaded: BTreeMap::new(),
        };
        read(sources, &mut text.as_bytes(), &Reader::default())
    }

    fn names(read: &FilesRead) -> Vec<String> {
        read.objects
            .iter()
            .map(|o| format!("{}/{}", o.id.kind, o.id.name))
            .collect()
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: nginx:1.27\n";

    #[test]
    fn documents_are_read_as_kubectl_reads_them() {
        for (what, text, expected) in [
            ("one", POD.to_owned(), vec!["Pod/p"]),
            ("two, with comments and empty ones", format!("# c\n---\n{POD}--- # next\n\n---\n{POD}"), vec!["Pod/p", "Pod/p"]),
            ("CRLF and BOM", format!("\u{feff}{}", POD.replace('\n', "\r\n")), vec!["Pod/p"]),
            ("JSON", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"j"},"spec":{"containers":[{"image":"x"}]}}"#.to_owned(), vec!["Pod/j"]),
            ("JSON after JSON", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"image":"x"}]}} {"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"},"spec":{"containers":[{"image":"x"}]}}"#.to_owned(), vec!["Pod/a", "Pod/b"]),
            ("List in a List", r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"image":"x"}]}}]}]}"#.to_owned(), vec!["Pod/x"]),
            ("typed list", r#"{"apiVersion":"apps/v1","kind":"DeploymentList","items":[{"metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}]}"#.to_owned(), vec!["Deployment/d"]),
            ("anchors, merge keys, octals, 1.1 booleans", "apiVersion: v1\nkind: Pod\nmetadata: &m {name: p}\nspec:\n  hostNetwork: yes\n  volumes: [{name: v, configMap: {defaultMode: 0644}}]\n  containers:\n  - &c {name: a, image: x}\n  - {<<: *c, name: b}\n".to_owned(), vec!["Pod/p"]),
            ("another kind", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n".to_owned(), vec![]),
            ("null where an object may be (Calico)", format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\nspec:\nstatus: ~\n---\n{POD}"), vec!["Namespace/shop", "Pod/p"]),
            ("generateName", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\nspec: {template: {spec: {containers: [{image: x}]}}}\n".to_owned(), vec!["Job/run-*"]),
        ] {
            let read = read_text(&text);
            assert_eq!(names(&read), expected, "{what}: {:?}", read.incomplete);
            assert!(read.incomplete.is_empty(), "{what}: {:?}", read.incomplete);
        }
    }

    #[test]
    fn a_broken_document_names_its_place_and_hides_no_other() {
        for (broken, line, says, hint) in [
            ("a:\n\tb: 1\n", 3, "tab", "correct"),
            ("kind: Pod\n", 2, "apiVersion is not set", "refuse"),
            (
                "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 5}]}\n",
                4,
                "spec.containers[0].image: invalid type",
                "refuse",
            ),
            (
                "image: {{ .Values.image }}\n",
                2,
                "string scalar",
                "helm template",
            ),
            (
                "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1}\n",
                2,
                "it has no pod template",
                "refuse",
            ),
            (
                "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers: []\n",
                6,
                "spec.containers: a pod needs at least one container",
                "refuse",
            ),
            ("a: [1\n", 2, "bracket", "correct"),
            ("- 1\n", 2, "apiVersion is not set", "refuse"),
        ] {
            let read = read_text(&format!("---\n{broken}---\n{POD}"));
            assert_eq!(names(&read), ["Pod/p"], "{broken}");
            let [entry] = read.incomplete.as_slice() else {
                panic!("{broken}: {:?}", read.incomplete)
            };
            assert_eq!(entry.what, format!("-:{line}"), "{broken}: {entry:?}");
            assert!(entry.why.contains(says), "{broken}: {entry:?}");
            assert!(entry.hint.contains(hint), "{broken}: {entry:?}");
        }
    }

    #[test]
    fn silence_is_no_answer() {
        let no_objects = |text: &str| from(&["-"], false, text).unwrap_err().to_string();
        for text in ["", "\n", "---\n# Source: chart/empty.yaml\n---\n"] {
            assert_eq!(no_objects(text), "there are no objects in standard input");
        }
        let widget =
            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: r}\nspec: {image: x}\n";
        let read = read_text(&format!("{POD}---\n{widget}---\n{widget}"));
        let [entry] = read.incomplete.as_slice() else {
            panic!("{:?}", read.incomplete)
        };
        assert_eq!(
            entry.what,
            "2 objects of kind Widget.example.com (the first at -:9)"
        );
        assert!(entry.matters);
        let empty_list = "apiVersion: v1\nkind: List\nitems: []\n";
        assert!(
            read_text(empty_list).incomplete.is_empty(),
            "a dump of nothing"
        );
    }

    #[test]
    fn a_file_that_is_named_twice_is_read_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), POD).unwrap();
        let path = file.path().display().to_string();
        let read = from(&[&path, &path], false, "").unwrap();
        assert_eq!(names(&read), ["Pod/p"]);
    }

    #[test]
    fn images_know_where_they_stand() {
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {{name: d}}\n  spec:\n    template:\n      spec:\n        initContainers:\n        - {{name: i, image: one}}\n        containers:\n        - image: \"two\"\n          name: c\n---\n{POD}"
        );
        let read = read_text(&list);
        let images: Vec<_> = read
            .objects
            .iter()
            .flat_map(|object| match &object.role {
                Role::Controller(c) => c.templates[0]
                    .pod
                    .spec
                    .all_containers()
                    .map(|(_, c)| c.clone())
                    .collect(),
                Role::Pod(p) => p
                    .template
                    .spec
                    .all_containers()
                    .map(|(_, c)| c.clone())
                    .collect(),
                _ => Vec::new(),
            })
            .map(|c| {
                let at = c.location.unwrap();
                (c.image, at.line, at.column)
            })
            .collect();
        assert_eq!(
            images,
            [
                ("one".to_owned(), 11, 28),
                ("two".to_owned(), 13, 18),
                ("nginx:1.27".to_owned(), 22, 12)
            ]
        );
        let starts: Vec<_> = read
            .objects
            .iter()
            .map(|o| o.location.clone().unwrap().line)
            .collect();
        assert_eq!(starts, [4, 16]);
    }

    #[test]
    fn directories_are_read_as_kubectl_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("b.yaml", &POD.replace("name: p", "name: b"));
        write(
            "a.json",
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"image":"x"}]}}"#,
        );
        write("README.md", "not a manifest");
        std::fs::create_dir(dir.path().join("deep")).unwrap();
        write("deep/c.yml", &POD.replace("name: p", "name: c"));
        let path = dir.path().display().to_string();
        let flat = from(&[&path], false, "").unwrap();
        assert_eq!(names(&flat), ["Pod/a", "Pod/b"]);
        let deep = from(&[&path], true, "").unwrap();
        assert_eq!(names(&deep), ["Pod/a", "Pod/b", "Pod/c"]);
        assert!(from(&["/nonexistent"], false, "").is_err());
        let empty = tempfile::tempdir().unwrap();
        assert!(from(&[&empty.path().display().to_string()], false, "").is_err());
    }
}
