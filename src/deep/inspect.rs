//! One start of one program, from the command to the kernel's answer, and on to what it starts in turn.

use super::command::Process;
use super::errno::Errno;
use super::exec::{Answer, Evidence, Execution, Started, execute};
use super::fault::Fault;
use super::inner::{self, Inner};
use super::kernel::Kernel;
use super::search::{Search, Searcher, search};
use super::stack::Stack;

/// How many programs that start one another are looked at.
const MOST_INNER: usize = 4;

/// What becomes of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What was to be started: the path that the kernel got, or the name that was looked for.
    pub program: String,
    /// What is said to it.
    pub said: Said,
    /// The program that probably starts it, such as `sh -c`; none when the container runtime does, which is certain.
    pub by: Option<String>,
    /// The files that were looked at.
    pub seen: Vec<Evidence>,
}

/// What is said to a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It starts.
    Starts(Started),
    /// It doesn't.
    Fails {
        /// When.
        stage: Stage,
        /// With this error.
        errno: Errno,
        /// For this reason.
        fault: Fault,
    },
    /// It can't be told; says why.
    Unknown(String),
}

/// Who refuses a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The container runtime, which finds nothing to start.
    Search,
    /// The kernel.
    Exec,
}

/// Looks at what a process starts, and at what that will probably start in turn. A failure there counts; what is unknown
/// there does not.
///
/// # Errors
/// The number of a layer that has to be read first.
pub fn inspect(
    stack: &Stack<'_>,
    process: &Process,
    kernel: Kernel,
    searcher: Searcher,
) -> Result<Inspection, usize> {
    let mut outer = one(stack, process, kernel, searcher)?;
    let mut process = process.clone();
    let mut seen = outer.seen.clone();
    let mut started = match &outer.said {
        Said::Starts(started) => started.clone(),
        _ => return Ok(outer),
    };
    for _ in 0..MOST_INNER {
        // A script's `env` starts the interpreter, and nothing of the script's arguments is known then.
        let in_script = started.through.last().map(inner::of_shebang);
        let Some(Inner { by, argv }) = in_script.unwrap_or_else(|| inner::of(&process)) else {
            break;
        };
        process.argv = argv;
        // Programs other than runc take a relative directory of PATH as it is.
        let next = one(stack, &process, kernel, Searcher::Crun)?;
        match next.said {
            Said::Starts(next_started) => {
                seen.extend(next.seen);
                // What was started first may be of another kind than what runs in the end.
                outer.said = Said::Starts(Started {
                    thirty_two_bit: started.thirty_two_bit || next_started.thirty_two_bit,
                    x86_level: started.x86_level.max(next_started.x86_level),
                    ..next_started.clone()
                });
                started = next_started;
                outer.seen.clone_from(&seen);
            }
            Said::Fails { ref fault, .. } if !is_forgiven(fault) => {
                seen.extend(next.seen);
                return Ok(Inspection {
                    by: Some(by),
                    seen,
                    ..next
                });
            }
            Said::Fails { .. } | Said::Unknown(_) => break,
        }
    }
    Ok(outer)
}

/// Shells run a file without `#!`, or an empty one, as a script of their own; so does the C library for `env` and `tini`.
fn is_forgiven(fault: &Fault) -> bool {
    matches!(fault, Fault::NoShebang { .. } | Fault::Broken { .. })
}

fn one(
    stack: &Stack<'_>,
    process: &Process,
    kernel: Kernel,
    searcher: Searcher,
) -> Result<Inspection, usize> {
    let name = process.argv.first().map(ToString::to_string);
    let inspection = |program: String, said, seen| Inspection {
        program,
        said,
        by: None,
        seen,
    };
    let name = name.unwrap_or_default();
    Ok(match search(stack, process, searcher)? {
        Search::Unknown(why) => inspection(name, Said::Unknown(why), Vec::new()),
        Search::Failed { errno, fault, seen } => {
            let stage = Stage::Search;
            let said = Said::Fails {
                stage,
                errno,
                fault,
            };
            inspection(name, said, seen)
        }
        Search::Found { path, cwd } => {
            let Execution { answer, seen } = execute(stack, kernel, &cwd, &path)?;
            let said = match answer {
                Answer::Starts(started) => Said::Starts(started),
                Answer::Unknown(why) => Said::Unknown(why),
                Answer::Refused { errno, fault } => Said::Fails {
                    stage: Stage::Exec,
                    errno,
                    fault,
                },
            };
            inspection(path, said, seen)
        }
    })
}
