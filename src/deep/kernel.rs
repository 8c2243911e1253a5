//! Which programs the kernel of a node can start: the arch's `elf_check_arch` (Linux `arch/*/include/asm/elf.h`).

use super::elf::{Elf, machine};
use crate::image::Platform;

/// The kernel of a node, as far as its programs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kernel {
    /// `amd64`
    Amd64,
    /// `386`
    I386,
    /// `arm64`
    Arm64,
    /// `arm`
    Arm,
    /// `ppc64le`
    Ppc64le,
    /// `ppc64`
    Ppc64,
    /// `s390x`
    S390x,
    /// `riscv64`
    Riscv64,
    /// `loong64`
    Loong64,
    /// `mips64le`
    Mips64le,
    /// `mips64`
    Mips64,
}

/// How a kernel takes to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Accepts {
    /// It is its own kind.
    Natively,
    /// Only if CPU and kernel still run programs of 32 bits (31 on IBM Z).
    ThirtyTwoBit,
    /// Never.
    Not,
}

impl Kernel {
    /// The kernel of a platform, written with Go's names; `None` for Windows, and for machines that no Kubernetes runs on.
    #[must_use]
    pub fn of(platform: &Platform) -> Option<Self> {
        let platform = platform.normalized(true);
        if platform.os != "linux" {
            return None;
        }
        Some(match platform.architecture.as_str() {
            "amd64" => Self::Amd64,
            "386" => Self::I386,
            "arm64" => Self::Arm64,
            "arm" => Self::Arm,
            "ppc64le" => Self::Ppc64le,
            "ppc64" => Self::Ppc64,
            "s390x" => Self::S390x,
            "riscv64" => Self::Riscv64,
            "loong64" => Self::Loong64,
            "mips64le" => Self::Mips64le,
            "mips64" => Self::Mips64,
            _ => return None,
        })
    }

    /// Whether its own programs have 32 bits.
    pub(super) fn is_32_bit(self) -> bool {
        matches!(self, Self::I386 | Self::Arm)
    }

    /// Whether this kernel starts such a program.
    #[must_use]
    pub fn accepts(self, elf: &Elf) -> Accepts {
        let is =
            |machine: u16, big_endian: bool| elf.machine == machine && elf.big_endian == big_endian;
        let wide = elf.class == 2;
        let or_32_bit = |native: bool, compat: bool| match (native, compat) {
            (true, _) => Accepts::Natively,
            (false, true) => Accepts::ThirtyTwoBit,
            (false, false) => Accepts::Not,
        };
        let i386 = is(machine::I386, false) || is(machine::I486, false);
        let arm = is(machine::ARM, false);
        match self {
            // The class is not looked at; x32 is refused for its header's size.
            Self::Amd64 => or_32_bit(is(machine::X86_64, false), i386),
            Self::I386 => or_32_bit(i386, false),
            // Programs from before the EABI (flags 0) only run where the kernel is 32-bit itself.
            Self::Arm64 => or_32_bit(
                is(machine::AARCH64, false),
                arm && elf.flags & 0xff00_0000 != 0,
            ),
            Self::Arm => or_32_bit(arm, false),
            Self::Ppc64le => or_32_bit(is(machine::PPC64, false), false),
            Self::Ppc64 => or_32_bit(is(machine::PPC64, true), is(machine::PPC, true)),
            Self::S390x => or_32_bit(
                is(machine::S390, true) && wide,
                is(machine::S390, true) && !wide,
            ),
            Self::Riscv64 => or_32_bit(
                is(machine::RISCV, false) && wide,
                is(machine::RISCV, false) && !wide,
            ),
            Self::Loong64 => or_32_bit(is(machine::LOONGARCH, false) && wide, false),
            Self::Mips64le => or_32_bit(
                is(machine::MIPS, false) && wide,
                is(machine::MIPS, false) && !wide,
            ),
            Self::Mips64 => or_32_bit(
                is(machine::MIPS, true) && wide,
                is(machine::MIPS, true) && !wide,
            ),
        }
    }
}

impl Elf {
    /// The machine in Go's names where it has one: `amd64`, `arm/v7`, else a number.
    #[must_use]
    pub fn architecture(&self) -> String {
        let wide = self.class == 2;
        let name = match (self.machine, self.big_endian, wide) {
            (machine::X86_64, false, false) => "x32",
            (machine::X86_64, false, true) => "amd64",
            (machine::I386 | machine::I486, false, _) => "386",
            (machine::AARCH64, false, _) => "arm64",
            (machine::AARCH64, true, _) => "arm64be",
            (machine::ARM, false, _) => match self.arm_version {
                5 => "arm/v5",
                6 => "arm/v6",
                7 => "arm/v7",
                _ => "arm",
            },
            (machine::ARM, true, _) => "armbe",
            (machine::PPC64, false, _) => "ppc64le",
            (machine::PPC64, true, _) => "ppc64",
            (machine::PPC, true, _) => "ppc",
            (machine::S390, true, true) => "s390x",
            (machine::S390, true, false) => "s390",
            (machine::RISCV, false, true) => "riscv64",
            (machine::RISCV, false, false) => "riscv",
            (machine::LOONGARCH, false, true) => "loong64",
            (machine::MIPS, false, true) => "mips64le",
            (machine::MIPS, true, true) => "mips64",
            (machine::MIPS, false, false) => "mipsle",
            (machine::MIPS, true, false) => "mips",
            (machine::SPARC64, true, _) => "sparc64",
            (number, _, _) => return format!("machine {number}"),
        };
        name.to_owned()
    }
}
