//! Contents that travel beside a request and its result: the files of `copy`, `script`, `unarchive` and `fetch`.

use std::io::{self, Read};

/// The contents of a request.
pub trait Contents: Send {
    /// Opens the content with this index. It may come over the wire only now, so it is opened only when it is needed, and once.
    fn open(&mut self, index: usize) -> io::Result<Box<dyn Read + '_>>;
}

/// Where the contents of a result go.
pub trait Sink: Send {
    /// Sends a content back; the result names it by the index that comes back.
    fn send(&mut self, content: &mut dyn Read) -> io::Result<usize>;
}

/// A request without contents.
pub struct NoContents;

impl Contents for NoContents {
    fn open(&mut self, index: usize) -> io::Result<Box<dyn Read + '_>> {
        Err(io::Error::other(format!("the request has no content {index}")))
    }
}

impl Sink for NoContents {
    fn send(&mut self, _: &mut dyn Read) -> io::Result<usize> {
        Err(io::Error::other("the request takes no content back"))
    }
}

/// Contents that are in memory.
impl Contents for Vec<Vec<u8>> {
    fn open(&mut self, index: usize) -> io::Result<Box<dyn Read + '_>> {
        let content = self.get(index).ok_or_else(|| io::Error::other(format!("the request has no content {index}")))?;
        Ok(Box::new(content.as_slice()))
    }
}

impl Sink for Vec<Vec<u8>> {
    fn send(&mut self, content: &mut dyn Read) -> io::Result<usize> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.push(bytes);
        Ok(self.len() - 1)
    }
}
