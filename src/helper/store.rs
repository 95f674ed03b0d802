//! Which binary of the helper is for which platform: those embedded by `build.rs`, and one that the user names.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless_modules::serve::bootstrap::Binary;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Platform, SHA-256 and the compressed binary.
type Embedded = (&'static str, &'static str, &'static [u8]);

const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/helpers.rs"));

/// The variable that names a helper to use instead of the embedded ones: for building and testing driftless itself.
pub const VARIABLE: &str = "DRIFTLESS_HELPER";

/// The binaries.
#[derive(Debug)]
pub struct Store {
    helpers: Vec<Helper>,
}

/// One binary.
#[derive(Debug)]
pub struct Helper {
    binary: Binary,
    packed: Cow<'static, [u8]>,
}

/// Why there is no helper.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// A file that was named cannot be read.
    #[error("could not read the helper `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Arc<std::io::Error>,
    },
    /// Built without.
    #[error(
        "this driftless was built without a helper (`DRIFTLESS_HELPER_SKIP`); hint: build without that variable, or name one in `{VARIABLE}`"
    )]
    Empty,
}

impl Store {
    /// The embedded binaries, or the one that the environment names.
    pub fn open() -> Result<Self, StoreError> {
        if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            return Self::named(Path::new(&path));
        }
        let helper = |(platform, sha256, packed): &Embedded| Helper {
            binary: Binary { platform: (*platform).to_owned(), sha256: (*sha256).to_owned() },
            packed: Cow::Borrowed(*packed),
        };
        if EMBEDDED.is_empty() {
            return Err(StoreError::Empty);
        }
        Ok(Self { helpers: EMBEDDED.iter().map(helper).collect() })
    }

    /// The binary at `path`, for the platform that its name says (`driftless-helper-linux-aarch64`), or this machine's.
    pub fn named(path: &Path) -> Result<Self, StoreError> {
        let unreadable = |error: std::io::Error| StoreError::Unreadable { path: path.to_owned(), cause: Arc::new(error) };
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let packed = Cow::Owned(pack(&bytes).map_err(unreadable)?);
        Ok(Self { helpers: vec![Helper { binary: Binary { platform: platform_of(path), sha256 }, packed }] })
    }

    /// What can be offered to a host.
    pub fn binaries(&self) -> Vec<Binary> {
        self.helpers.iter().map(|helper| helper.binary.clone()).collect()
    }

    /// The platforms, for messages.
    pub fn platforms(&self) -> String {
        let platforms: Vec<String> = self.helpers.iter().map(|helper| format!("`{}`", helper.binary.platform)).collect();
        platforms.join(", ")
    }

    /// The binary that a host calls by this file name.
    pub fn by_file_name(&self, name: &str) -> Option<&Helper> {
        self.helpers.iter().find(|helper| helper.binary.file_name() == name)
    }
}

impl Helper {
    /// The SHA-256 of the binary, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.binary.sha256
    }

    /// The binary compressed by gzip.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// The binary.
    pub fn unpacked(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&*self.packed).read_to_end(&mut bytes).expect("we compressed it ourselves");
        bytes
    }
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn platform_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(arch) = name.strip_prefix("driftless-helper-linux-") {
        return format!("Linux {arch}");
    }
    let uname = rustix::system::uname();
    format!("{} {}", uname.sysname().to_string_lossy(), uname.machine().to_string_lossy())
}
