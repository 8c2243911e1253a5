//! What an ELF file says of itself, as far as the kernel (`fs/binfmt_elf.c`) and the CPU care.
//!
//! The kernel goes by the machine alone: it takes the layout of its own machine for granted, whatever the file's class
//! and byte order say (runtime.md §10). So the layout is chosen by the machine here as well.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::bytes::{Absent, Bytes};
use super::elf_notes::{self, arm_version};

/// Machines (`e_machine`, `elf-em.h`).
pub mod machine {
    /// 32-bit x86.
    pub const I386: u16 = 3;
    /// 32-bit x86, as very old files call it.
    pub const I486: u16 = 6;
    /// MIPS, 32 or 64 bits, either byte order.
    pub const MIPS: u16 = 8;
    /// 32-bit PowerPC.
    pub const PPC: u16 = 20;
    /// 64-bit PowerPC, either byte order.
    pub const PPC64: u16 = 21;
    /// IBM Z, 31 or 64 bits.
    pub const S390: u16 = 22;
    /// 32-bit ARM.
    pub const ARM: u16 = 40;
    /// 64-bit SPARC.
    pub const SPARC64: u16 = 43;
    /// 64-bit x86; x32 as well.
    pub const X86_64: u16 = 62;
    /// 64-bit ARM.
    pub const AARCH64: u16 = 183;
    /// RISC-V, 32 or 64 bits.
    pub const RISCV: u16 = 243;
    /// LoongArch, 32 or 64 bits.
    pub const LOONGARCH: u16 = 258;
}

/// `ET_EXEC` and `ET_DYN`: the types that can be started.
const STARTABLE: [u16; 2] = [2, 3];
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;
/// The kernel reads no larger table of program headers.
const LARGEST_TABLE: u64 = 65_536;
/// `PATH_MAX`: no longer loader name is read.
const LONGEST_LOADER: u64 = 4096;
/// Notes larger than this are not read; real ones have some dozen bytes.
const LARGEST_NOTE: u64 = 64 * 1024;

/// What an ELF file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// `EI_CLASS`: 1 for 32 bits, 2 for 64. Most kernels ignore it.
    pub class: u8,
    /// Byte order, by the machine's bytes where they tell it.
    pub big_endian: bool,
    /// `e_machine`.
    pub machine: u16,
    /// `e_flags`: ABI, float ABI.
    pub flags: u32,
    /// Whether type and program headers are such that a kernel can load it.
    pub loadable: Loadable,
    /// The loader that it asks for; none is a static program.
    pub loader: Option<Loader>,
    /// The x86-64 level that it says it needs, 1 to 4; 0 when it says nothing (GNU property notes).
    pub x86_level: u8,
    /// The ARM architecture version that it was built for, 4 to 8; 0 when it says nothing (`.ARM.attributes`).
    pub arm_version: u8,
    /// A segment reaches beyond the end of the file: it was cut off.
    pub cut_off: bool,
}

/// Whether the kernel can make sense of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loadable {
    /// It can.
    Yes,
    /// An object file, core dump or the like.
    OtherType,
    /// The program headers are missing or broken.
    BrokenHeaders,
    /// The program headers were not kept.
    NotKept,
}

/// What `PT_INTERP` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loader {
    /// The loader's path.
    Path(String),
    /// No string, or one that is too long: the kernel refuses the file.
    Malformed,
    /// Past the end of the file.
    PastTheEnd,
    /// It was not kept.
    NotKept,
}

/// Where the fields of an ELF file are.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) wide: bool,
    pub(super) big_endian: bool,
}

impl Layout {
    /// The unsigned number of these bytes.
    pub(super) fn number(self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        if self.big_endian {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        }
    }

    /// The number at `wide.0` (64 bits) or `narrow.0` (32 bits), of so many bytes.
    pub(super) fn field(self, bytes: &[u8], wide: (usize, usize), narrow: (usize, usize)) -> u64 {
        let (at, length) = if self.wide { wide } else { narrow };
        self.number(bytes.get(at..at + length).unwrap_or_default())
    }
}

/// A program header.
#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    offset: u64,
    size: u64,
}

/// Reads an ELF file of which `bytes` are at hand; `None` when it is none. Also says which bytes would tell more.
#[must_use]
pub(super) fn read(bytes: &Bytes) -> Option<(Elf, Vec<Range<u64>>)> {
    let header: [u8; 64] = bytes.start();
    let [0x7f, b'E', b'L', b'F', class, data, ..] = header else {
        return None;
    };
    let [low, high] = [header[18], header[19]];
    let big_endian = match (low, high) {
        (0, 1..) => true,
        (1.., 0) => false,
        _ => data == 2,
    };
    let layout = |wide| Layout { wide, big_endian };
    let machine = u16::try_from(layout(true).number(&[low, high])).unwrap_or_default();
    let layout = layout(is_wide(machine, class));
    let kind = u16::try_from(layout.field(&header, (16, 2), (16, 2))).unwrap_or_default();
    let mut elf = Elf {
        class,
        big_endian,
        machine,
        flags: u32::try_from(layout.field(&header, (48, 4), (36, 4))).unwrap_or_default(),
        loadable: Loadable::Yes,
        loader: None,
        x86_level: 0,
        arm_version: 0,
        cut_off: false,
    };
    let mut missing = Vec::new();
    if !STARTABLE.contains(&kind) {
        elf.loadable = Loadable::OtherType;
        return Some((elf, missing));
    }
    match segments(&header, layout, bytes) {
        Ok(segments) => follow(&mut elf, &segments, layout, bytes, &mut missing),
        Err(Absent::PastTheEnd) => elf.loadable = Loadable::BrokenHeaders,
        Err(Absent::NotKept(range)) => {
            elf.loadable = Loadable::NotKept;
            missing.push(range);
        }
    }
    if elf.machine == machine::ARM {
        match arm_version(&header, layout, bytes) {
            Ok(version) => elf.arm_version = version,
            Err(Absent::NotKept(range)) => missing.push(range),
            Err(Absent::PastTheEnd) => {}
        }
    }
    Some((elf, missing))
}

/// Whether the kernel of this machine reads 64-bit headers.
fn is_wide(machine: u16, class: u8) -> bool {
    use machine::{AARCH64, ARM, I386, I486, PPC, PPC64, SPARC64, X86_64};
    match machine {
        X86_64 | AARCH64 | PPC64 | SPARC64 => true,
        I386 | I486 | ARM | PPC => false,
        // Machines of both widths, whose kernels do look at the class.
        _ => class == 2,
    }
}

/// The program headers; [`Absent::PastTheEnd`] also stands for a table that no kernel accepts.
fn segments(header: &[u8; 64], layout: Layout, bytes: &Bytes) -> Result<Vec<Segment>, Absent> {
    let offset = layout.field(header, (32, 8), (28, 4));
    let entry_size = layout.field(header, (54, 2), (42, 2));
    let count = layout.field(header, (56, 2), (44, 2));
    let wanted: u64 = if layout.wide { 56 } else { 32 };
    let size = entry_size * count;
    if entry_size != wanted || count == 0 || size > LARGEST_TABLE {
        return Err(Absent::PastTheEnd);
    }
    let table = bytes.get(offset, size)?;
    let entries = table.chunks_exact(if layout.wide { 56 } else { 32 });
    Ok(entries
        .map(|entry| Segment {
            kind: u32::try_from(layout.field(entry, (0, 4), (0, 4))).unwrap_or_default(),
            offset: layout.field(entry, (8, 8), (4, 4)),
            size: layout.field(entry, (32, 8), (16, 4)),
        })
        .collect())
}

fn follow(
    elf: &mut Elf,
    segments: &[Segment],
    layout: Layout,
    bytes: &Bytes,
    missing: &mut Vec<Range<u64>>,
) {
    // Only the first one counts.
    if let Some(segment) = segments.iter().find(|segment| segment.kind == PT_INTERP) {
        elf.loader = Some(loader(*segment, bytes, missing));
    }
    elf.cut_off = segments.iter().any(|segment| {
        segment.kind == PT_LOAD && segment.offset.saturating_add(segment.size) > bytes.size()
    });
    if elf.machine != machine::X86_64 {
        return;
    }
    for segment in segments {
        if segment.kind != PT_NOTE || segment.size > LARGEST_NOTE {
            continue;
        }
        match bytes.get(segment.offset, segment.size) {
            Ok(notes) => {
                elf.x86_level = elf.x86_level.max(elf_notes::x86_level(notes, layout));
            }
            Err(Absent::NotKept(range)) => missing.push(range),
            Err(Absent::PastTheEnd) => {}
        }
    }
}

fn loader(segment: Segment, bytes: &Bytes, missing: &mut Vec<Range<u64>>) -> Loader {
    if !(2..=LONGEST_LOADER).contains(&segment.size) {
        return Loader::Malformed;
    }
    match bytes.get(segment.offset, segment.size) {
        Ok([name @ .., 0]) => {
            let name = name.split(|&b| b == 0).next().unwrap_or_default();
            Loader::Path(String::from_utf8_lossy(name).into_owned())
        }
        Ok(_) => Loader::Malformed,
        Err(Absent::PastTheEnd) => Loader::PastTheEnd,
        Err(Absent::NotKept(range)) => {
            missing.push(range);
            Loader::NotKept
        }
    }
}
