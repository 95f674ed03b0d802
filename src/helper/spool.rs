//! Streams that come from a helper: in memory while small, in a file when large. The file has no name, unless the
//! request says in which folder it will stay.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use driftless_wire::TOTAL_LIMIT;
use tempfile::NamedTempFile;

use super::request::Returned;

/// More than this goes to a file.
const IN_MEMORY: usize = 4 << 20;

/// More than this goes to a file where the request says in which folder: such contents are meant to be files.
const IN_MEMORY_OF_FILES: usize = 64 << 10;

/// A stream that comes.
#[derive(Debug, Default)]
pub(super) struct Spool {
    bytes: Vec<u8>,
    file: Option<Overflow>,
    folder: Option<PathBuf>,
    pub(super) ended: bool,
}

/// Where a large stream goes.
#[derive(Debug)]
enum Overflow {
    Nameless(File),
    Named(NamedTempFile),
}

impl Overflow {
    fn file(&mut self) -> &mut File {
        match self {
            Self::Nameless(file) => file,
            Self::Named(named) => named.as_file_mut(),
        }
    }
}

impl Spool {
    /// A stream that is to be a file in `folder`.
    pub(super) fn within(folder: Option<PathBuf>) -> Self {
        Self { folder, ..Self::default() }
    }

    /// More of it.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.ended {
            return Err(io::Error::other("a stream went on after its end"));
        }
        if let Some(file) = &mut self.file {
            return file.file().write_all(bytes);
        }
        self.bytes.extend_from_slice(bytes);
        let limit = if self.folder.is_some() { IN_MEMORY_OF_FILES } else { IN_MEMORY };
        if self.bytes.len() > limit {
            let mut file = self.overflow()?;
            file.file().write_all(&std::mem::take(&mut self.bytes))?;
            self.file = Some(file);
        }
        Ok(())
    }

    fn overflow(&self) -> io::Result<Overflow> {
        let Some(folder) = &self.folder else { return tempfile::tempfile().map(Overflow::Nameless) };
        std::fs::create_dir_all(folder)?;
        NamedTempFile::new_in(folder).map(Overflow::Named)
    }

    /// All of it.
    pub(super) fn into_returned(self) -> io::Result<Returned> {
        match self.file {
            Some(Overflow::Nameless(mut file)) => {
                file.rewind()?;
                Ok(Returned::File(file))
            }
            Some(Overflow::Named(file)) => Ok(Returned::Named(file)),
            None => Ok(Returned::Bytes(self.bytes)),
        }
    }

    /// All of it in memory, if it is not beyond what a result may have.
    pub(super) fn into_bytes(self) -> io::Result<Vec<u8>> {
        let Some(mut overflow) = self.file else { return Ok(self.bytes) };
        let file = overflow.file();
        file.rewind()?;
        let mut bytes = Vec::new();
        file.take(TOTAL_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > TOTAL_LIMIT {
            return Err(io::Error::other(format!("it has more than {TOTAL_LIMIT} bytes")));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_comes_beside_its_destination_and_not_into_memory() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("made/here");
        let mut spool = Spool::within(Some(dest.clone()));
        for _ in 0..16 {
            spool.add(&[7; 16 << 10]).unwrap();
            assert!(spool.bytes.len() <= IN_MEMORY_OF_FILES);
        }
        let Returned::Named(file) = spool.into_returned().unwrap() else { panic!("it is not a file with a name") };
        assert_eq!((file.path().parent(), file.as_file().metadata().unwrap().len()), (Some(dest.as_path()), 256 << 10));
        drop(file);
        assert_eq!(std::fs::read_dir(&dest).unwrap().count(), 0);
    }

    #[test]
    fn small_contents_make_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::within(Some(folder.path().join("none")));
        spool.add(b"x").unwrap();
        assert!(matches!(spool.into_returned().unwrap(), Returned::Bytes(bytes) if bytes == b"x"));
        assert!(!folder.path().join("none").exists());
    }
}
