//! The words of an unfinished line: what stands there already, and what the last word is to be.

use clap::{Arg, ArgAction, Command};

/// A line as far as it is typed.
pub(super) struct Line<'a> {
    /// The scan, or a command beside it.
    pub(super) command: &'a Command,
    /// The flags that stand there, with their values.
    pub(super) flags: Vec<(&'a Arg, Option<&'a str>)>,
    /// The words that are no flags.
    pub(super) names: Vec<&'a str>,
    /// What the last word is to be.
    pub(super) wanted: Wanted<'a>,
    /// What is there of it.
    pub(super) typed: &'a str,
}

/// What a word is to be.
pub(super) enum Wanted<'a> {
    /// The name of a flag.
    Flag,
    /// The value of this flag.
    Value(&'a Arg),
    /// A word that is no flag.
    Name,
    /// Nothing that is known.
    Unknown,
}

impl<'a> Line<'a> {
    /// Whether a flag stands there, by its id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.flags.iter().any(|(flag, _)| flag.get_id() == id)
    }

    /// The value that a flag was given last.
    pub(super) fn value(&self, id: &str) -> Option<&'a str> {
        let mut given = self.flags.iter().rev();
        given.find(|(flag, _)| flag.get_id() == id)?.1
    }
}

/// Reads the words of a line, the last of which is unfinished. The command must have been built.
pub(super) fn read<'a>(root: &'a Command, words: &'a [String]) -> Line<'a> {
    let (typed, before) = words
        .split_last()
        .map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let mut line = Line {
        command: root,
        flags: Vec::new(),
        names: Vec::new(),
        wanted: Wanted::Name,
        typed,
    };
    let mut waiting: Option<&Arg> = None;
    let mut only_names = false;
    for word in before {
        if let Some(flag) = waiting.take() {
            line.flags.push((flag, Some(word)));
        } else if only_names || !is_flag(word) {
            let first = line.names.is_empty() && line.flags.is_empty() && !only_names;
            match line.command.find_subcommand(word) {
                Some(command) if first => line.command = command,
                _ => line.names.push(word),
            }
        } else if word == "--" {
            only_names = true;
        } else if let Some(long) = word.strip_prefix("--") {
            waiting = line.long(long);
        } else {
            waiting = line.shorts(word.trim_start_matches('-'));
        }
    }
    if let Some(flag) = waiting {
        line.wanted = Wanted::Value(flag);
    } else if !only_names && (is_flag(typed) || typed == "-") {
        (line.wanted, line.typed) = unfinished_flag(line.command, typed);
    }
    line
}

impl<'a> Line<'a> {
    /// Takes in `name` or `name=value`; returns the flag if its value must come next.
    fn long(&mut self, text: &'a str) -> Option<&'a Arg> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        // A flag that isn't known may have a value or not; whatever follows is read as if it had none.
        let flag = long(self.command, name)?;
        if value.is_none() && needs_value(flag) {
            return Some(flag);
        }
        self.flags.push((flag, value));
        None
    }

    /// Takes in flags of one letter, the last of which may have its value attached.
    fn shorts(&mut self, mut text: &'a str) -> Option<&'a Arg> {
        while let Some(letter) = text.chars().next() {
            text = text.get(letter.len_utf8()..).unwrap_or_default();
            let flag = short(self.command, letter)?;
            if needs_value(flag) && text.is_empty() {
                return Some(flag);
            }
            if needs_value(flag) || text.starts_with('=') {
                self.flags
                    .push((flag, Some(text.strip_prefix('=').unwrap_or(text))));
                return None;
            }
            self.flags.push((flag, None));
        }
        None
    }
}

/// The last word where it begins with a dash. Of `--flag=value` shells complete the value alone.
fn unfinished_flag<'a>(command: &'a Command, typed: &'a str) -> (Wanted<'a>, &'a str) {
    let Some((name, value)) = typed.split_once('=') else {
        return (Wanted::Flag, typed);
    };
    let flag = match name.strip_prefix("--") {
        Some(name) => long(command, name),
        None => {
            let mut letters = name.chars().skip(1);
            let first = letters.next().and_then(|letter| short(command, letter));
            first.filter(|_| letters.next().is_none())
        }
    };
    (flag.map_or(Wanted::Unknown, Wanted::Value), value)
}

fn is_flag(word: &str) -> bool {
    word.starts_with('-') && word != "-"
}

fn long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut flags = command.get_arguments();
    flags.find(|flag| flag.get_long() == Some(name))
}

fn short(command: &Command, letter: char) -> Option<&Arg> {
    let mut flags = command.get_arguments();
    flags.find(|flag| flag.get_short() == Some(letter))
}

/// Whether the next word is its value.
fn needs_value(flag: &Arg) -> bool {
    flag.get_action().takes_values() && flag.get_num_args().is_none_or(|n| n.min_values() > 0)
}

/// Whether it may stand there more than once.
pub(super) fn repeats(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::Append | ArgAction::Count)
}
