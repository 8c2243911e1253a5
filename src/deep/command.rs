//! Which program a container starts: the pod's `command` and `args` over the image's entrypoint (Kubernetes
//! "Define a Command and Arguments", containerd `internal/cri/opts/spec_opts.go WithProcessArgs`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::stack::Mount;
use crate::image::Platform;
use crate::model::null_as_default;

/// What runtimes put into PATH where nobody sets it (containerd, CRI-O and Docker agree).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a container of a pod says about its program.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Start {
    /// Replaces the image's entrypoint, and its arguments too.
    pub command: Vec<String>,
    /// Replaces the image's arguments.
    pub args: Vec<String>,
    /// Environment variables in their order; those without a value here get one from elsewhere in the cluster.
    pub env: Vec<(String, Option<String>)>,
    /// There are more variables, which come from elsewhere in the cluster (`envFrom`).
    pub more_env: bool,
    /// Replaces the image's working directory.
    pub working_dir: Option<String>,
    /// Where volumes cover the image.
    pub mounts: Vec<Mount>,
}

/// What an image's config says about its program (image-spec `config.md`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// The platform it was built for.
    #[serde(flatten)]
    pub platform: Platform,
    /// How to start it.
    #[serde(deserialize_with = "null_as_default")]
    pub config: StartConfig,
    /// The layers' digests once unpacked.
    #[serde(deserialize_with = "null_as_default")]
    pub rootfs: RootFs,
}

/// `config` of an image config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct StartConfig {
    /// The program, and its first arguments.
    #[serde(deserialize_with = "null_as_default")]
    pub entrypoint: Vec<String>,
    /// The arguments; the program too when there is no entrypoint.
    #[serde(deserialize_with = "null_as_default")]
    pub cmd: Vec<String>,
    /// `NAME=VALUE`.
    #[serde(deserialize_with = "null_as_default")]
    pub env: Vec<String>,
    /// Where it starts.
    #[serde(deserialize_with = "null_as_default")]
    pub working_dir: String,
}

/// `rootfs` of an image config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// Digests of the layers' archives before they were compressed, the lowest layer first.
    #[serde(deserialize_with = "null_as_default")]
    pub diff_ids: Vec<String>,
}

/// A process to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The program and its arguments.
    pub argv: Vec<Word>,
    /// The directories in which a program without a slash is looked for, separated by colons.
    pub path: Word,
    /// The working directory.
    pub cwd: String,
}

/// A text of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// As the process will see it.
    Known(String),
    /// It comes from a variable that the pod takes from elsewhere; names it.
    FromVariable(String),
}

impl std::fmt::Display for Word {
    /// As in a pod: a variable's value that is not known stays `$(NAME)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(text) => f.write_str(text),
            Self::FromVariable(name) => write!(f, "$({name})"),
        }
    }
}

impl Start {
    /// The main process of a container; `None` when neither the pod nor the image names a program.
    #[must_use]
    pub fn process(&self, image: &StartConfig) -> Option<Process> {
        let variables = self.variables();
        let expand = |text: &String| expand(text, &variables);
        // An entrypoint of one empty string is none (containerd).
        let entrypoint = match image.entrypoint.as_slice() {
            [one] if one.is_empty() => &[][..],
            entrypoint => entrypoint,
        };
        let mut argv: Vec<Word> = if self.command.is_empty() {
            entrypoint.iter().cloned().map(Word::Known).collect()
        } else {
            self.command.iter().map(expand).collect()
        };
        if !self.args.is_empty() {
            argv.extend(self.args.iter().map(expand));
        } else if self.command.is_empty() {
            argv.extend(image.cmd.iter().cloned().map(Word::Known));
        }
        self.with(argv, image)
    }

    /// The process of an exec probe, whose command the kubelet expands (`pkg/kubelet/prober`).
    #[must_use]
    pub fn probe(&self, command: &[String], image: &StartConfig) -> Option<Process> {
        let variables = self.variables();
        let argv = command.iter().map(|text| expand(text, &variables));
        self.with(argv.collect(), image)
    }

    /// The process of a lifecycle hook, whose command is taken as it is (`pkg/kubelet/lifecycle`).
    #[must_use]
    pub fn hook(&self, command: &[String], image: &StartConfig) -> Option<Process> {
        let argv = command.iter().cloned().map(Word::Known);
        self.with(argv.collect(), image)
    }

    fn with(&self, argv: Vec<Word>, image: &StartConfig) -> Option<Process> {
        if argv.is_empty() {
            return None;
        }
        let cwd = self.working_dir.as_deref().filter(|dir| !dir.is_empty());
        let cwd = cwd.unwrap_or(&image.working_dir);
        Some(Process {
            argv,
            path: self.path(image),
            cwd: if cwd.is_empty() { "/" } else { cwd }.to_owned(),
        })
    }

    /// PATH of the process: the pod's, else the image's, else the runtime's. Of several the last one counts.
    fn path(&self, image: &StartConfig) -> Word {
        if self.env.iter().any(|(name, _)| name == "PATH") {
            let variables = self.variables();
            return match variables.known.get("PATH") {
                Some(Some(path)) => Word::Known(path.clone()),
                _ => Word::FromVariable("PATH".to_owned()),
            };
        }
        let in_image = image.env.iter().rev();
        let in_image = in_image.filter_map(|text| text.strip_prefix("PATH="));
        let path = in_image.map(str::to_owned).next();
        Word::Known(path.unwrap_or_else(|| DEFAULT_PATH.to_owned()))
    }

    /// The variables that `$(NAME)` can refer to, each with its value where that is known
    /// (`pkg/kubelet/kubelet_pods.go makeEnvironmentVariables`).
    fn variables(&self) -> Variables<'_> {
        let mut variables = Variables {
            known: BTreeMap::new(),
            more: self.more_env,
        };
        for (name, value) in &self.env {
            let value = value
                .as_ref()
                .and_then(|text| match expand(text, &variables) {
                    Word::Known(text) => Some(text),
                    Word::FromVariable(_) => None,
                });
            variables.known.insert(name, value);
        }
        variables
    }
}

/// Variables of a container; `None` is a value that comes from elsewhere.
struct Variables<'a> {
    known: BTreeMap<&'a str, Option<String>>,
    more: bool,
}

/// Replaces `$(NAME)`; `$$` is one dollar (Kubernetes `third_party/forked/golang/expansion`).
fn expand(text: &str, variables: &Variables<'_>) -> Word {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        if let Some(escaped) = after.strip_prefix('$') {
            out.push('$');
            rest = escaped;
            continue;
        }
        let reference = after
            .strip_prefix('(')
            .and_then(|after| after.split_once(')'));
        let Some((name, tail)) = reference else {
            out.push('$');
            rest = after;
            continue;
        };
        rest = tail;
        match variables.known.get(name) {
            Some(Some(value)) => out.push_str(value),
            Some(None) => return Word::FromVariable(name.to_owned()),
            None if variables.more || is_of_a_service(name) => {
                return Word::FromVariable(name.to_owned());
            }
            None => {
                out.push_str("$(");
                out.push_str(name);
                out.push(')');
            }
        }
    }
    out.push_str(rest);
    Word::Known(out)
}

/// Whether the kubelet may set this variable, for a Service that exists.
fn is_of_a_service(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn shown(process: Option<Process>) -> String {
        let show = |word: &Word| match word {
            Word::Known(text) => text.clone(),
            Word::FromVariable(name) => format!("?{name}"),
        };
        process.map_or_else(
            || "nothing".to_owned(),
            |process| process.argv.iter().map(show).collect::<Vec<_>>().join(" "),
        )
    }

    /// The four cases of the table in Kubernetes' "Define a Command and Arguments for a Container", and the odd ones.
    #[test]
    fn the_pod_goes_before_the_image() {
        for (entrypoint, cmd, command, args, argv) in [
            (&["/ep"][..], &["c"][..], &[][..], &[][..], "/ep c"),
            (&["/ep"], &["c"], &["/x"], &[], "/x"),
            (&["/ep"], &["c"], &[], &["a"], "/ep a"),
            (&["/ep"], &["c"], &["/x"], &["a"], "/x a"),
            (&[], &["/c"], &[], &[], "/c"),
            (&[], &["/c"], &[], &["/a"], "/a"),
            (&[""], &["/c"], &[], &[], "/c"),
            (&[], &[], &[], &[], "nothing"),
        ] {
            let image = StartConfig {
                entrypoint: strings(entrypoint),
                cmd: strings(cmd),
                ..StartConfig::default()
            };
            let start = Start {
                command: strings(command),
                args: strings(args),
                ..Start::default()
            };
            assert_eq!(shown(start.process(&image)), argv);
        }
    }

    /// Cases of Kubernetes' `expand_test.go`.
    #[test]
    fn variables_are_expanded_as_the_kubelet_does() {
        let env = [
            ("VAR_A", Some("A")),
            ("VAR_B", Some("B")),
            ("VAR_REF", Some("$(VAR_A)")),
            ("SECRET", None),
            ("OF_SECRET", Some("x$(SECRET)")),
            ("EMPTY", Some("")),
        ];
        let mut start = Start {
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
                .collect(),
            ..Start::default()
        };
        for (text, expanded) in [
            ("$(VAR_A)", "A"),
            ("___$(VAR_B)___", "___B___"),
            ("$(VAR_A)-1$(VAR_B)", "A-1B"),
            ("$(VAR_REF)", "A"),
            ("$$(VAR_A)", "$(VAR_A)"),
            ("$$$(VAR_A)", "$A"),
            ("$VAR_A", "$VAR_A"),
            ("$(VAR_DNE)", "$(VAR_DNE)"),
            ("foo$(EMPTY)bar", "foobar"),
            ("$(VAR_A", "$(VAR_A"),
            ("$)", "$)"),
            ("f000-$", "f000-$"),
            ("$()", "$()"),
            ("$(SECRET)", "?SECRET"),
            ("$(OF_SECRET)", "?OF_SECRET"),
            ("$(WEB_SERVICE_HOST)", "?WEB_SERVICE_HOST"),
        ] {
            start.command = strings(&[text]);
            assert_eq!(shown(start.process(&StartConfig::default())), expanded);
        }
        start.more_env = true;
        start.command = strings(&["$(VAR_DNE)"]);
        assert_eq!(shown(start.process(&StartConfig::default())), "?VAR_DNE");
        // A hook's command is not expanded, a probe's is.
        let image = StartConfig::default();
        let command = strings(&["$(VAR_A)"]);
        assert_eq!(shown(start.hook(&command, &image)), "$(VAR_A)");
        assert_eq!(shown(start.probe(&command, &image)), "A");
    }

    #[test]
    fn path_and_directory_come_from_the_pod_first() {
        let mut image = StartConfig {
            entrypoint: strings(&["app"]),
            ..StartConfig::default()
        };
        let mut start = Start::default();
        let path = |start: &Start, image: &StartConfig| start.process(image).unwrap().path;
        let known = |text: &str| Word::Known(text.to_owned());
        assert_eq!(path(&start, &image), known(DEFAULT_PATH));
        // Of two entries the last one counts (runtime.md §10).
        image.env = strings(&["PATH=/a", "X=1", "PATH=/b"]);
        assert_eq!(path(&start, &image), known("/b"));
        start.env = vec![("PATH".to_owned(), Some("/c:$(HOME)".to_owned()))];
        assert_eq!(path(&start, &image), known("/c:$(HOME)"));
        start.env.push(("PATH".to_owned(), None));
        assert_eq!(path(&start, &image), Word::FromVariable("PATH".to_owned()));

        let cwd = |start: &Start, image: &StartConfig| start.process(image).unwrap().cwd;
        assert_eq!(cwd(&start, &image), "/");
        image.working_dir = "/srv".to_owned();
        assert_eq!(cwd(&start, &image), "/srv");
        start.working_dir = Some("/data".to_owned());
        assert_eq!(cwd(&start, &image), "/data");
    }

    proptest! {
        #[test]
        fn no_text_makes_expansion_panic(text in ".{0,40}", value in ".{0,10}") {
            let start = Start {
                command: vec![text.clone(), "$(A)".to_owned()],
                env: vec![("A".to_owned(), Some(value))],
                ..Start::default()
            };
            if !text.contains('$') {
                let argv = start.process(&StartConfig::default()).unwrap().argv;
                prop_assert_eq!(&argv[0], &Word::Known(text));
            }
        }
    }
}
