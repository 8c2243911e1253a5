//! Writes the smallest ELF programs there are, for every architecture that Kubernetes runs on: they exit with a code of
//! their own, so that a test can tell that they ran. Also with what real ones have: a loader, notes, attributes, and
//! with anything in their headers wrong.

/// An ELF file being made.
#[derive(Debug, Clone)]
pub(crate) struct TinyElf {
    arch: Arch,
    code: Vec<u8>,
    loader: Option<Vec<u8>>,
    kind: u16,
    class: u8,
    data: u8,
    flags: u32,
    header_size: Option<u16>,
    header_count: Option<u16>,
    more_headers: u16,
    x86_level: u8,
    arm_cpu: Option<u8>,
    loaded: Option<u64>,
}

/// What of an architecture shows in a file.
#[derive(Debug, Clone, Copy)]
struct Arch {
    wide: bool,
    big_endian: bool,
    machine: u16,
    flags: u32,
}

/// The exit code of [`TinyElf::program`].
pub(crate) const PROGRAM_RAN: u8 = 42;
/// The exit code of [`TinyElf::loader`].
pub(crate) const LOADER_RAN: u8 = 43;

impl TinyElf {
    /// A static program that exits with [`PROGRAM_RAN`].
    pub(crate) fn program(arch: &str) -> Self {
        Self::new(arch, PROGRAM_RAN)
    }

    /// A loader: position independent, exits with [`LOADER_RAN`] instead of loading anything.
    pub(crate) fn loader(arch: &str) -> Self {
        Self::new(arch, LOADER_RAN).kind(3)
    }

    fn new(name: &str, exit_code: u8) -> Self {
        let (arch, code) = arch(name, exit_code);
        Self {
            code,
            loader: None,
            kind: 2,
            class: if arch.wide { 2 } else { 1 },
            data: if arch.big_endian { 2 } else { 1 },
            flags: arch.flags,
            header_size: None,
            header_count: None,
            more_headers: 0,
            x86_level: 0,
            arm_cpu: None,
            loaded: None,
            arch,
        }
    }

    /// Asks for a loader (`PT_INTERP`).
    pub(crate) fn loaded_by(self, loader: &str) -> Self {
        self.loaded_by_bytes(format!("{loader}\0").as_bytes())
    }

    /// The bytes of `PT_INTERP`, with or without an end.
    pub(crate) fn loaded_by_bytes(mut self, loader: &[u8]) -> Self {
        self.loader = Some(loader.to_vec());
        self
    }

    /// `e_type`: 1 object file, 2 program, 3 shared object or PIE, 4 core dump.
    pub(crate) fn kind(mut self, kind: u16) -> Self {
        self.kind = kind;
        self
    }

    /// What `EI_CLASS` and `EI_DATA` claim; the layout stays that of the machine.
    pub(crate) fn claiming(mut self, class: u8, data: u8) -> Self {
        (self.class, self.data) = (class, data);
        self
    }

    /// `e_flags`.
    pub(crate) fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// What `e_phentsize` and `e_phnum` claim.
    pub(crate) fn header_table(mut self, size: Option<u16>, count: Option<u16>) -> Self {
        (self.header_size, self.header_count) = (size, count);
        self
    }

    /// So many program headers (`PT_NULL`) more.
    pub(crate) fn more_headers(mut self, count: u16) -> Self {
        self.more_headers = count;
        self
    }

    /// A GNU property note that asks for an x86-64 level, 1 to 4.
    pub(crate) fn needing_x86_level(mut self, level: u8) -> Self {
        self.x86_level = level;
        self
    }

    /// An `.ARM.attributes` section whose `Tag_CPU_arch` has this value (10 is v7).
    pub(crate) fn arm_cpu(mut self, value: u8) -> Self {
        self.arm_cpu = Some(value);
        self
    }

    /// How many bytes the only segment claims to have in the file.
    pub(crate) fn loading(mut self, bytes: u64) -> Self {
        self.loaded = Some(bytes);
        self
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let wide = self.arch.wide;
        let (header, entry): (u64, u64) = if wide { (64, 56) } else { (52, 32) };
        let note = self.note();
        let loader = self.loader.clone().unwrap_or_default();
        let headers = 1 + u64::from(self.loader.is_some()) + u64::from(self.x86_level > 0);
        let headers = headers + u64::from(self.more_headers);
        let loader_at = header + entry * headers;
        let note_at = (loader_at + loader.len() as u64).next_multiple_of(8);
        let code_at = (note_at + note.len() as u64).next_multiple_of(16);
        let end = code_at + self.code.len() as u64;
        let base: u64 = if self.kind == 2 { 0x40_0000 } else { 0 };
        let (sections, section_count) = self.sections(end);

        let mut elf = vec![0x7f, b'E', b'L', b'F', self.class, self.data, 1, 0];
        elf.resize(16, 0);
        elf.extend(self.half(self.kind));
        elf.extend(self.half(self.arch.machine));
        elf.extend(self.word(1));
        elf.extend(self.address(base + code_at));
        elf.extend(self.address(header));
        let sections_at = if section_count > 0 {
            end.next_multiple_of(4)
        } else {
            0
        };
        elf.extend(self.address(sections_at));
        elf.extend(self.word(self.flags));
        let entry_size = u16::try_from(entry).unwrap();
        elf.extend(self.half(u16::try_from(header).unwrap()));
        elf.extend(self.half(self.header_size.unwrap_or(entry_size)));
        let count = u16::try_from(headers).unwrap();
        elf.extend(self.half(self.header_count.unwrap_or(count)));
        let section_size = if section_count > 0 { 40 } else { 0 };
        for value in [section_size, section_count, 0] {
            elf.extend(self.half(value));
        }
        if self.loader.is_some() {
            elf.extend(self.program_header(3, loader_at, base, loader.len() as u64, 1));
        }
        elf.extend(self.program_header(1, 0, base, self.loaded.unwrap_or(end), 0x1000));
        if self.x86_level > 0 {
            elf.extend(self.program_header(4, note_at, base, note.len() as u64, 8));
        }
        for _ in 0..self.more_headers {
            elf.extend(self.program_header(0, 0, 0, 0, 0));
        }
        elf.extend(loader);
        elf.resize(usize::try_from(note_at).unwrap(), 0);
        elf.extend(note);
        elf.resize(usize::try_from(code_at).unwrap(), 0);
        elf.extend(&self.code);
        if section_count > 0 {
            elf.resize(usize::try_from(sections_at).unwrap(), 0);
            elf.extend(sections);
        }
        elf
    }

    fn program_header(&self, kind: u32, at: u64, base: u64, size: u64, align: u64) -> Vec<u8> {
        let (read, execute) = (4, 1);
        let flags = self.word(read | execute);
        let mut header = self.word(kind).to_vec();
        if self.arch.wide {
            header.extend(flags);
        }
        for value in [at, base + at, base + at, size, size] {
            header.extend(self.address(value));
        }
        if !self.arch.wide {
            header.extend(flags);
        }
        header.extend(self.address(align));
        header
    }

    fn note(&self) -> Vec<u8> {
        if self.x86_level == 0 {
            return Vec::new();
        }
        // An NT_GNU_PROPERTY_TYPE_0 with one property: the level and all below it.
        let levels = (1_u32 << self.x86_level) - 1;
        let mut note = Vec::new();
        for word in [4, 16, 5] {
            note.extend(self.word(word));
        }
        note.extend(b"GNU\0");
        for word in [0xc000_8002, 4, levels, 0] {
            note.extend(self.word(word));
        }
        note
    }

    /// The section headers and what they describe, put at the end of the file.
    fn sections(&self, end: u64) -> (Vec<u8>, u16) {
        let Some(cpu) = self.arm_cpu else {
            return (Vec::new(), 0);
        };
        // Tag_CPU_name "x", Tag_CPU_arch, Tag_ABI_VFP_args.
        let attributes = [5, b'x', 0, 6, cpu, 28, 1];
        let mut file = vec![1];
        file.extend(self.word(5 + u32::try_from(attributes.len()).unwrap()));
        file.extend(attributes);
        let mut section = b"A".to_vec();
        section.extend(self.word(4 + 6 + u32::try_from(file.len()).unwrap()));
        section.extend(b"aeabi\0");
        section.extend(file);
        // A null section, and this one after the table of the two.
        let at = u32::try_from(end.next_multiple_of(4) + 80).unwrap();
        let mut table = vec![0; 40];
        let size = u32::try_from(section.len()).unwrap();
        for word in [0, 0x7000_0003, 0, 0, at, size, 0, 0, 1, 0] {
            table.extend(self.word(word));
        }
        table.extend(section);
        (table, 2)
    }

    fn half(&self, value: u16) -> [u8; 2] {
        if self.arch.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn word(&self, value: u32) -> [u8; 4] {
        if self.arch.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn address(&self, value: u64) -> Vec<u8> {
        if !self.arch.wide {
            return self.word(u32::try_from(value).unwrap()).to_vec();
        }
        if self.arch.big_endian {
            value.to_be_bytes().to_vec()
        } else {
            value.to_le_bytes().to_vec()
        }
    }
}

/// The architecture, and machine code for `exit(code)`.
fn arch(name: &str, exit_code: u8) -> (Arch, Vec<u8>) {
    let of = |wide, big_endian, machine, flags| Arch {
        wide,
        big_endian,
        machine,
        flags,
    };
    let little = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let code = u32::from(exit_code);
    match name {
        "amd64" => (
            of(true, false, 62, 0),
            // mov edi, code; mov eax, 60; syscall
            vec![0xbf, exit_code, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05],
        ),
        "386" => (
            of(false, false, 3, 0),
            // mov ebx, code; mov eax, 1; int 0x80
            vec![0xbb, exit_code, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0xcd, 0x80],
        ),
        "arm64" => (
            of(true, false, 183, 0),
            // mov x0, code; mov x8, 93; svc 0
            little(&[0xd280_0000 | (code << 5), 0xd280_0ba8, 0xd400_0001]),
        ),
        "arm" => (
            // EABI5, hard float
            of(false, false, 40, 0x0500_0400),
            // mov r0, code; mov r7, 1; svc 0
            little(&[0xe3a0_0000 | code, 0xe3a0_7001, 0xef00_0000]),
        ),
        "riscv64" => (
            // compressed instructions, double float
            of(true, false, 243, 5),
            // li a0, code; li a7, 93; ecall
            little(&[(code << 20) | 0x513, 0x05d0_0893, 0x0000_0073]),
        ),
        "ppc64le" => (
            // ELFv2
            of(true, false, 21, 2),
            // li r0, 1; li r3, code; sc
            little(&[0x3800_0001, 0x3860_0000 | code, 0x4400_0002]),
        ),
        "s390x" => (
            of(true, true, 22, 0),
            // lghi r2, code; svc 1
            vec![0xa7, 0x29, 0, exit_code, 0x0a, 1],
        ),
        "loong64" => (
            // double float, new object ABI
            of(true, false, 258, 0x43),
            // li.w a0, code; li.w a7, 93; syscall 0
            little(&[0x0280_0004 | (code << 10), 0x0281_740b, 0x002b_0000]),
        ),
        "mips64le" => (
            of(true, false, 8, 0x8000_0000),
            // li a0, code; li v0, 5058; syscall
            little(&[0x2404_0000 | code, 0x2402_13c2, 0x0000_000c]),
        ),
        other => panic!("no ELF known for architecture {other}: add it here"),
    }
}
