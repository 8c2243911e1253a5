//! What is in the bytes of an image: which file a container will execute, and what the kernel of a node says to it.
//!
//! Pure: layers come as indexes ([`LayerIndex`]), which `registry/` reads. From there: [`LayerTree`] unpacks one layer,
//! [`Stack`] lays them over one another, [`Start`] says which program a container starts, [`search()`] finds it as runc
//! and crun do, [`execute`] says what the kernel answers, and [`inspect()`] is all of these for one process.

mod bytes;
mod command;
mod elf;
mod elf_notes;
mod errno;
mod exec;
mod fault;
mod head;
mod inner;
mod inspect;
mod kernel;
mod layer;
mod search;
mod shebang;
mod stack;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;

pub use bytes::{Absent, Bytes};
pub use command::{ImageConfig, Process, RootFs, Start, StartConfig, Word};
pub use elf::{Elf, Loadable, Loader, machine};
pub use errno::Errno;
pub use exec::{Answer, Evidence, Execution, Started, execute};
pub use fault::{Fault, Part};
pub use head::{Head, Kind, USUAL_HEAD};
pub use inspect::{Inspection, Said, Stage, inspect};
pub use kernel::{Accepts, Kernel};
pub use layer::{Entry, EntryKind, File, LayerIndex, normal_path};
pub use search::{Search, Searcher, search};
pub use shebang::{Shebang, ShebangFault};
pub use stack::{Foreign, Found, Miss, Mount, Stack};
pub use tree::{Broken, LayerTree, Node, Refused};
