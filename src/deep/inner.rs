//! What a started program starts in turn, where its arguments show it: `sh -c`, `env`, `tini`. Only likely: what a script
//! does is known when it runs.

use super::command::{Process, Word};
use super::shebang::Shebang;

/// A program that another one will probably start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inner {
    /// By what: `sh -c`, `tini`.
    pub(super) by: String,
    /// The program and its arguments, as far as they are known.
    pub(super) argv: Vec<Word>,
}

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// Programs that do something first and then become the program that their arguments name.
const INITS: [&str; 5] = [
    "tini",
    "tini-static",
    "dumb-init",
    "catatonit",
    "docker-init",
];
/// The first argument of these is a user.
const AS_USER: [&str; 2] = ["gosu", "su-exec"];

/// What the program of a process will start, if its arguments tell.
pub(super) fn of(process: &Process) -> Option<Inner> {
    let (program, arguments) = process.argv.split_first()?;
    let name = base_name(known(program)?);
    let then = |by: &str, argv: &[Word]| {
        (!argv.is_empty()).then(|| Inner {
            by: by.to_owned(),
            argv: argv.to_vec(),
        })
    };
    match name {
        shell if SHELLS.contains(&shell) => Some(Inner {
            by: format!("{shell} -c"),
            argv: of_script(shell_script(arguments)?)?,
        }),
        "busybox" => then("busybox", arguments).filter(|inner| {
            let applet = inner.argv.first().and_then(known);
            applet.is_some_and(|applet| SHELLS.contains(&applet))
        }),
        "env" => then("env", of_env(arguments)?),
        init if INITS.contains(&init) => then(init, after_options(arguments)?),
        user if AS_USER.contains(&user) => then(user, arguments.get(1..)?),
        _ => None,
    }
}

/// What `env` in a script's `#!` line will start.
pub(super) fn of_shebang(line: &Shebang) -> Option<Inner> {
    if base_name(&line.interpreter) != "env" {
        return None;
    }
    // Without -S the whole rest of the line is one name.
    let argument = line.argument.as_deref()?;
    let split = argument
        .strip_prefix("-S")
        .or_else(|| argument.strip_prefix("--split-string="));
    let program = match split {
        Some(words) => words.split_ascii_whitespace().next()?,
        None => argument,
    };
    (!program.starts_with('-') && !program.contains('=')).then(|| Inner {
        by: "env".to_owned(),
        argv: vec![Word::Known(program.to_owned())],
    })
}

fn known(word: &Word) -> Option<&str> {
    match word {
        Word::Known(text) => Some(text),
        Word::FromVariable(_) => None,
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The script of `sh -c SCRIPT`, with options before or in one word (`-ec`).
fn shell_script(arguments: &[Word]) -> Option<&str> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next().and_then(known) {
        match argument.strip_prefix('-') {
            // A login shell may set another PATH before it does anything.
            Some(letters) if letters.starts_with('-') || letters.contains('l') => return None,
            Some(letters) if letters.ends_with('c') => {
                return arguments.next().and_then(known);
            }
            Some("o") => {
                arguments.next();
            }
            Some(_) => {}
            // A script's file.
            None => return None,
        }
    }
    None
}

/// The program that a script becomes (`exec PROGRAM`), or that is all it runs.
fn of_script(script: &str) -> Option<Vec<Word>> {
    let commands: Vec<&str> = script.split(['\n', ';', '&', '|']).map(str::trim).collect();
    let exec = commands.iter().find_map(|command| {
        let rest = command.strip_prefix("exec")?;
        rest.starts_with([' ', '\t']).then(|| rest.trim_start())
    });
    let command = match (exec, commands.as_slice()) {
        (Some(command), _) => command,
        (None, [command]) => command,
        (None, _) => return None,
    };
    let mut words = command.split_ascii_whitespace();
    let program = words.find(|word| !is_assignment(word))?;
    // Whatever a shell would look at twice is left alone, and so is what it does itself.
    if !program.chars().all(is_plain) || BUILT_IN.contains(&program) {
        return None;
    }
    let mut argv = vec![Word::Known(program.to_owned())];
    let plain = words.take_while(|word| word.chars().all(is_plain));
    argv.extend(plain.map(|word| Word::Known(word.to_owned())));
    Some(argv)
}

/// Words that shells act on themselves.
const BUILT_IN: [&str; 40] = [
    ".", ":", "[", "alias", "break", "case", "cd", "command", "continue", "declare", "do", "echo",
    "eval", "exec", "exit", "export", "false", "for", "function", "if", "kill", "let", "local",
    "printf", "pwd", "read", "readonly", "return", "select", "set", "shift", "source", "test",
    "time", "trap", "true", "ulimit", "umask", "until", "while",
];

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c)
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// `env [-i] [NAME=VALUE]… PROGRAM…`
fn of_env(mut arguments: &[Word]) -> Option<&[Word]> {
    while let Some((first, rest)) = arguments.split_first() {
        let first = known(first)?;
        match first {
            "-i" | "-" | "--" | "--ignore-environment" => {}
            // `env PATH=… app` looks in another PATH.
            _ if first.starts_with('-') || first.starts_with("PATH=") => return None,
            _ if is_assignment(first) => {}
            _ => return Some(arguments),
        }
        arguments = rest;
    }
    None
}

/// `tini [-g] [-e CODE] [--] PROGRAM…`
fn after_options(mut arguments: &[Word]) -> Option<&[Word]> {
    while let Some((first, rest)) = arguments.split_first() {
        match known(first)? {
            "--" => return Some(rest),
            // tini's exit code and signal, dumb-init's rewriting of signals.
            "-e" | "-p" | "-r" | "--rewrite" => arguments = rest.get(1..)?,
            option if option.starts_with('-') => arguments = rest,
            _ => return Some(arguments),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(argv: &[&str]) -> Option<String> {
        let process = Process {
            argv: argv
                .iter()
                .map(|word| Word::Known((*word).to_owned()))
                .collect(),
            path: Word::Known(String::new()),
            cwd: String::new(),
        };
        let inner = of(&process)?;
        let words: Vec<&str> = inner.argv.iter().filter_map(known).collect();
        Some(format!("{}: {}", inner.by, words.join(" ")))
    }

    #[test]
    fn shells_and_wrappers_show_what_they_start() {
        for (argv, starts) in [
            (
                &["/bin/sh", "-c", "exec /app --flag"][..],
                Some("sh -c: /app --flag"),
            ),
            (&["sh", "-c", "app serve"], Some("sh -c: app serve")),
            (
                &["bash", "-euo", "pipefail", "-c", "X=1 exec app \"$@\""],
                None,
            ),
            (
                &["bash", "-ec", "set -x; cd /srv && exec ./app $FLAGS"],
                Some("bash -c: ./app"),
            ),
            (&["sh", "-c", "A=1 B=2 app"], Some("sh -c: app")),
            (&["sh", "-c", "sleep 5; app"], None),
            (&["sh", "-c", "cd /srv"], None),
            (&["sh", "-c", "$APP --flag"], None),
            (&["sh", "-c", "\"/my app\""], None),
            (&["sh", "-c", "while true; do app; done"], None),
            (&["sh", "-c", "app > /dev/null"], Some("sh -c: app")),
            (&["bash", "-lc", "app"], None),
            (&["bash", "--login", "-c", "app"], None),
            (&["sh", "-c", ""], None),
            (&["sh", "/entrypoint.sh"], None),
            (&["sh"], None),
            (
                &["/busybox/busybox", "sh", "-c", "app"],
                Some("busybox: sh -c app"),
            ),
            (&["busybox", "ls"], None),
            (
                &["/usr/bin/env", "-i", "A=b", "app", "-x"],
                Some("env: app -x"),
            ),
            (&["env", "-S", "app"], None),
            (&["/sbin/tini", "--", "/app"], Some("tini: /app")),
            (
                &["/tini", "-g", "-e", "143", "/app", "--", "x"],
                Some("tini: /app -- x"),
            ),
            (
                &["dumb-init", "--rewrite", "15:2", "--", "app"],
                Some("dumb-init: app"),
            ),
            (
                &["gosu", "redis", "redis-server"],
                Some("gosu: redis-server"),
            ),
            (&["/app", "sh", "-c", "x"], None),
        ] {
            assert_eq!(inner(argv).as_deref(), starts, "{argv:?}");
        }
    }

    #[test]
    fn env_in_a_shebang_names_the_interpreter() {
        let line = |interpreter: &str, argument: &str| {
            let line = Shebang {
                interpreter: interpreter.to_owned(),
                argument: Some(argument.to_owned()),
            };
            let inner = of_shebang(&line)?;
            inner.argv.first().and_then(known).map(str::to_owned)
        };
        for (interpreter, argument, program) in [
            ("/usr/bin/env", "python3", Some("python3")),
            ("/usr/bin/env", "-S python3 -u", Some("python3")),
            ("/usr/bin/env", "python3 -u", Some("python3 -u")),
            ("/usr/bin/env", "-i sh", None),
            ("/bin/sh", "-e", None),
        ] {
            assert_eq!(
                line(interpreter, argument).as_deref(),
                program,
                "{argument}"
            );
        }
    }
}
