//! Streams that come from a helper: in memory while small, in a file without a name when large.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use driftless_wire::TOTAL_LIMIT;

use super::request::Returned;

/// More than this goes to a file.
const IN_MEMORY: usize = 4 << 20;

/// A stream that comes.
#[derive(Debug, Default)]
pub(super) struct Spool {
    bytes: Vec<u8>,
    file: Option<File>,
    pub(super) ended: bool,
}

impl Spool {
    /// More of it.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.ended {
            return Err(io::Error::other("a stream went on after its end"));
        }
        if let Some(file) = &mut self.file {
            return file.write_all(bytes);
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > IN_MEMORY {
            let mut file = tempfile::tempfile()?;
            file.write_all(&std::mem::take(&mut self.bytes))?;
            self.file = Some(file);
        }
        Ok(())
    }

    /// All of it.
    pub(super) fn into_returned(self) -> io::Result<Returned> {
        match self.file {
            Some(mut file) => {
                file.rewind()?;
                Ok(Returned::File(file))
            }
            None => Ok(Returned::Bytes(self.bytes)),
        }
    }

    /// All of it in memory, if it is not beyond what a result may have.
    pub(super) fn into_bytes(self) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.file else { return Ok(self.bytes) };
        file.rewind()?;
        let mut bytes = Vec::new();
        file.take(TOTAL_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > TOTAL_LIMIT {
            return Err(io::Error::other(format!("it has more than {TOTAL_LIMIT} bytes")));
        }
        Ok(bytes)
    }
}
