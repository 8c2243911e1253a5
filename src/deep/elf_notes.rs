//! What ELF files say of the CPU that they need: x86-64 levels in GNU property notes, ARM versions in `.ARM.attributes`.

use super::bytes::{Absent, Bytes};
use super::elf::Layout;

/// `NT_GNU_PROPERTY_TYPE_0`
const GNU_PROPERTY: u64 = 5;
/// `GNU_PROPERTY_X86_ISA_1_NEEDED` (x86-64 psABI, "program property").
const X86_ISA_NEEDED: u64 = 0xc000_8002;
/// `SHT_ARM_ATTRIBUTES` (ELF for the Arm architecture).
const ARM_ATTRIBUTES: u64 = 0x7000_0003;
/// Section tables and attributes are read up to this size; real ones have a few KiB.
const LARGEST: u64 = 64 * 1024;

/// The highest level that the notes of a segment ask for, 1 (every x86-64 CPU) to 4; 0 when they ask for none.
pub(super) fn x86_level(notes: &[u8], layout: Layout) -> u8 {
    let mut level = 0;
    let mut rest = notes;
    while let (Some(header), Some(body)) = (rest.get(..12), rest.get(12..)) {
        let field = |at: usize| layout.number(header.get(at..at + 4).unwrap_or_default());
        let (name_size, size, kind) = (padded(field(0), 4), field(4), field(8));
        let Some((name, properties)) = split(body, name_size) else {
            break;
        };
        let align = if layout.wide { 8 } else { 4 };
        let Some(description) = usize::try_from(size).ok().and_then(|n| properties.get(..n)) else {
            break;
        };
        if kind == GNU_PROPERTY && name == b"GNU\0" {
            level = level.max(needed(description, layout, align));
        }
        let Some((_, next)) = split(properties, padded(size, align)) else {
            break;
        };
        rest = next;
    }
    level
}

fn needed(mut properties: &[u8], layout: Layout, align: u64) -> u8 {
    while let (Some(header), Some(body)) = (properties.get(..8), properties.get(8..)) {
        let (kind, data) = header.split_at(4);
        let (kind, size) = (layout.number(kind), layout.number(data));
        if kind == X86_ISA_NEEDED && size == 4 {
            let bits = layout.number(body.get(..4).unwrap_or_default());
            // Baseline, v2, v3, v4 are bits 0 to 3.
            return (1..=4)
                .rev()
                .find(|level| bits & (1 << (level - 1)) != 0)
                .unwrap_or(0);
        }
        let Some((_, next)) = split(body, padded(size, align)) else {
            break;
        };
        properties = next;
    }
    0
}

/// The version of the ARM architecture (`Tag_CPU_arch`), 4 to 8; 0 when the file doesn't say.
pub(super) fn arm_version(header: &[u8; 64], layout: Layout, bytes: &Bytes) -> Result<u8, Absent> {
    let at = layout.field(header, (40, 8), (32, 4));
    let entry_size = layout.field(header, (58, 2), (46, 2));
    let count = layout.field(header, (60, 2), (48, 2));
    if at == 0 || count == 0 || entry_size != 40 || entry_size * count > LARGEST {
        return Ok(0);
    }
    let table = bytes.get(at, entry_size * count)?;
    for section in table.chunks_exact(40) {
        let field = |at: usize| layout.number(section.get(at..at + 4).unwrap_or_default());
        let (kind, offset, size) = (field(4), field(16), field(20));
        if kind == ARM_ATTRIBUTES && size <= LARGEST {
            return Ok(attributes(bytes.get(offset, size)?, layout).unwrap_or(0));
        }
    }
    Ok(0)
}

/// Looks for `Tag_CPU_arch` (6) among the file's attributes ("Addenda to the ABI for the Arm architecture", §3).
fn attributes(section: &[u8], layout: Layout) -> Option<u8> {
    let vendor = section.strip_prefix(b"A")?.get(4..)?;
    let mut rest = vendor.strip_prefix(b"aeabi\0")?;
    // Tag_File, and the size of what follows, itself included.
    if leb128(&mut rest)? != 1 {
        return None;
    }
    let size = usize::try_from(layout.number(rest.get(..4)?)).ok()?;
    let mut rest = rest.get(4..size.checked_sub(1)?.min(rest.len()))?;
    loop {
        let tag = leb128(&mut rest)?;
        // 4, 5 and the odd tags from 33 on hold a string; 32 a number and a string; the others a number.
        let is_string = tag == 4 || tag == 5 || (tag > 32 && tag % 2 == 1);
        let number = if is_string { 0 } else { leb128(&mut rest)? };
        if is_string || tag == 32 {
            let end = rest.iter().position(|&b| b == 0)?;
            rest = rest.get(end + 1..)?;
        }
        if tag == 6 {
            return Some(match number {
                1 | 2 => 4,
                3..=5 => 5,
                6..=9 | 11 | 12 => 6,
                10 | 13 => 7,
                14.. => 8,
                0 => 0,
            });
        }
    }
}

fn leb128(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn padded(size: u64, align: u64) -> u64 {
    size.div_ceil(align).saturating_mul(align)
}

fn split(bytes: &[u8], at: u64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(at).ok()?)
}
