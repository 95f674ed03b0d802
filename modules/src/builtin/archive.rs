//! Archives as the host's `tar` and `unzip` read them: what is in one, whether a folder has it already, how it is unpacked.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::CrcReader;

use crate::host::{Command, Output, glob};
use crate::{Failure, Host, Result};

/// What an archive's first bytes say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Bzip2,
    Gzip,
    Tar,
    Xz,
    Zip,
    Zstd,
}

impl Format {
    /// The format of a file; nothing where it is no archive.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        File::open(path)?.take(512).read_to_end(&mut head)?;
        let magics: [(&[u8], Self); 5] = [
            (b"BZh", Self::Bzip2),
            (b"\x1f\x8b", Self::Gzip),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"PK", Self::Zip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
        ];
        let known = magics.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, format)| *format);
        // Old archives have no magic number; their first block has a checksum of itself.
        let is_tar = head.get(257..262) == Some(b"ustar") || has_tar_checksum(&head);
        Ok(known.or(is_tar.then_some(Self::Tar)))
    }

    /// Ansible's name of what reads it.
    pub fn handler(self) -> &'static str {
        match self {
            Self::Bzip2 => "TarBzipArchive",
            Self::Gzip => "TgzArchive",
            Self::Tar => "TarArchive",
            Self::Xz => "TarXzArchive",
            Self::Zip => "ZipArchive",
            Self::Zstd => "TarZstdArchive",
        }
    }

    /// Whether it is `unzip` that reads it.
    pub fn is_zip(self) -> bool {
        self == Self::Zip
    }

    fn flag(self) -> Option<&'static str> {
        match self {
            Self::Bzip2 => Some("-j"),
            Self::Gzip => Some("-z"),
            Self::Tar | Self::Zip => None,
            Self::Xz => Some("-J"),
            Self::Zstd => Some("--use-compress-program=zstd"),
        }
    }
}

fn has_tar_checksum(head: &[u8]) -> bool {
    let Some(field) = head.get(148..156).filter(|_| head.len() == 512) else { return false };
    let written: String = field.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_digit).collect();
    let sum = head.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum::<u64>();
    u64::from_str_radix(&written, 8).is_ok_and(|written| written == sum)
}

/// An archive and what of it goes where.
pub struct Archive<'a> {
    pub format: Format,
    pub path: &'a Path,
    pub dest: &'a Path,
    pub include: &'a [String],
    pub exclude: &'a [String],
    pub extra: &'a [String],
    pub keep_newer: bool,
    /// Whether owner, group and mode are the task's business, so that the archive's do not count.
    pub sets_owner: bool,
    pub sets_group: bool,
    pub sets_mode: bool,
}

impl Archive<'_> {
    /// What is in it, without what is left out.
    pub fn names(&self, host: &Host) -> Result<Vec<String>> {
        if self.format.is_zip() {
            return Ok(self.zip_entries(host)?.into_iter().map(|entry| entry.name).collect());
        }
        let output = host.query(&self.tar(host, "--list")?.args(["--quoting-style=literal"]).args(self.tail()))?;
        let output = self.read(output)?;
        let excluded = |name: &&str| !self.exclude.iter().any(|pattern| glob::matches(pattern, name.trim_end_matches('/')));
        Ok(output.stdout().lines().filter(excluded).map(str::to_owned).collect())
    }

    /// Whether the folder lacks something of the archive.
    pub fn differs(&self, host: &Host) -> Result<bool> {
        if self.format.is_zip() {
            return Ok(self.zip_entries(host)?.iter().any(|entry| entry.differs(self.dest, self.keep_newer)));
        }
        let output = host.query(&self.tar(host, "--diff")?.args(self.tail()))?;
        if output.succeeded() {
            return Ok(false);
        }
        let told = format!("{}\n{}", output.stdout(), output.stderr());
        let is_root = rustix::process::geteuid().is_root();
        let counts = |line: &str| {
            let reason = line.rsplit_once(": ").map_or(line, |(_, reason)| reason);
            match reason {
                "Uid differs" => is_root && !self.sets_owner,
                "Gid differs" => is_root && !self.sets_group,
                "Mode differs" => !self.sets_mode,
                "Mod time differs" => !self.keep_newer,
                "Contents differ" | "Size differs" => true,
                "No such file or directory" | "Not a directory" | "File type differs" | "Symlink differs" => true,
                reason => reason.starts_with("Not linked to"),
            }
        };
        Ok(told.lines().any(counts))
    }

    /// What unpacks it.
    pub fn extraction(&self, host: &Host) -> Result<Command> {
        if !self.format.is_zip() {
            return Ok(self.tar(host, "--extract")?.args(self.tail()));
        }
        let mut command = host.command(host.need_program("unzip")?).arg("-o").args(self.extra).arg(self.path).args(self.include);
        if !self.exclude.is_empty() {
            command = command.arg("-x").args(self.exclude);
        }
        Ok(command.arg("-d").arg(self.dest))
    }

    fn tar(&self, host: &Host, action: &str) -> Result<Command> {
        let program = host.find_program("gtar").map_or_else(|| host.need_program("tar"), Ok)?;
        let version = host.query(&host.command(&program).arg("--version"))?;
        if !version.stdout().contains("GNU tar") {
            return Err(Failure::new(format!("unable to find GNU tar: `{}` is another one", program.display())));
        }
        let mut command = host.command(program).arg(action).arg("-C").arg(self.dest).args(self.format.flag());
        if !self.extra.is_empty() {
            command = command.arg("--show-transformed-names");
        }
        if self.keep_newer && action == "--extract" {
            command = command.arg("--keep-newer-files");
        }
        Ok(command.args(self.extra).args(self.exclude.iter().map(|pattern| format!("--exclude={pattern}"))))
    }

    fn tail(&self) -> impl Iterator<Item = String> {
        ["-f".to_owned(), self.path.display().to_string()].into_iter().chain(self.include.iter().cloned())
    }

    fn zip_entries(&self, host: &Host) -> Result<Vec<Entry>> {
        let output = self.read(host.query(&host.command(host.need_program("unzip")?).arg("-v").arg(self.path))?)?;
        let is_meant = |entry: &Entry| {
            let name = entry.name.trim_end_matches('/');
            let is_one = |patterns: &[String]| patterns.iter().any(|pattern| glob::matches(pattern, name));
            (self.include.is_empty() || is_one(self.include)) && !is_one(self.exclude)
        };
        Ok(output.stdout().lines().filter_map(Entry::read).filter(is_meant).collect())
    }

    fn read(&self, output: Output) -> Result<Output> {
        if output.succeeded() {
            return Ok(output);
        }
        let shown = self.path.display();
        Err(Failure::new(format!(
            "Failed to find handler for \"{shown}\". Make sure the required command to extract the file is installed.\n{}",
            output.stderr()
        )))
    }
}

/// One entry as `unzip -v` shows it.
struct Entry {
    size: u64,
    crc: u32,
    name: String,
}

impl Entry {
    fn read(line: &str) -> Option<Self> {
        let mut rest = line;
        let mut fields = Vec::new();
        for _ in 0..7 {
            rest = rest.trim_start();
            let (field, more) = rest.split_once(' ')?;
            fields.push(field);
            rest = more;
        }
        let crc = fields.get(6).filter(|field| field.len() == 8)?;
        Some(Self { size: fields[0].parse().ok()?, crc: u32::from_str_radix(crc, 16).ok()?, name: rest.trim_start().to_owned() })
    }

    fn differs(&self, dest: &Path, keep_newer: bool) -> bool {
        let path: PathBuf = dest.join(self.name.trim_start_matches('/'));
        let Ok(metadata) = path.symlink_metadata() else { return true };
        if self.name.ends_with('/') {
            return !metadata.is_dir();
        }
        if metadata.is_symlink() {
            return path.read_link().map_or(0, |target| target.as_os_str().len() as u64) != self.size;
        }
        if keep_newer && metadata.is_file() {
            return false;
        }
        let Ok(file) = File::open(&path) else { return true };
        let mut reader = CrcReader::new(file);
        metadata.len() != self.size || io::copy(&mut reader, &mut io::sink()).is_err() || reader.crc().sum() != self.crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_unzip_are_read() {
        let entry = Entry::read("       2  Stored        2   0% 2026-11-21 12:04 ddeaa107  d/a b").unwrap();
        assert_eq!((entry.size, entry.crc, entry.name.as_str()), (2, 0xddea_a107, "d/a b"));
        assert!(Entry::read("--------          -------  ---                            -------").is_none());
        assert!(Entry::read("       4                4   0%                            3 files").is_none());
    }
}
