//! This helper's own binary, which it pushes to the users that it becomes, and by which it starts itself anew.

use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::bootstrap::Binary;

/// The running binary, also when its file was replaced or removed.
pub const PATH: &str = "/proc/self/exe";

/// Its whole content.
pub fn bytes() -> io::Result<Vec<u8>> {
    std::fs::read(PATH)
}

/// Its platform and hash.
pub fn binary() -> io::Result<Binary> {
    static SHA256: OnceLock<String> = OnceLock::new();
    let sha256 = match SHA256.get() {
        Some(sha256) => sha256.clone(),
        None => {
            let sha256 = sha256_of(&mut File::open(PATH)?)?;
            SHA256.get_or_init(|| sha256).clone()
        }
    };
    let uname = rustix::system::uname();
    let platform = format!("{} {}", uname.sysname().to_string_lossy(), uname.machine().to_string_lossy());
    Ok(Binary { platform, sha256 })
}

/// The SHA-256 of what `source` has, in hexadecimal digits.
pub fn sha256_of(source: &mut dyn Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => hash.update(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A text that nobody can foresee.
pub fn nonce() -> io::Result<String> {
    let mut bytes = [0; 12];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold("driftless-".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}
