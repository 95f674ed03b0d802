//! Secrets that a program says: any executable password file. Those named `…-client` are told the label.

use std::path::Path;
use std::process::{Command, Stdio};

use super::VaultSecret;

/// The exit code of a client that knows no secret of this label.
const NOT_FOUND: i32 = 2;

/// Whether the file is to be run and not read.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// What the program says. It may ask at the terminal itself.
pub(super) fn secret(path: &Path, label: Option<&str>) -> Result<VaultSecret, String> {
    let shown = path.display();
    let is_client = path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("-client"));
    let mut command = Command::new(path);
    command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    if is_client {
        command.stderr(Stdio::piped());
        if let Some(label) = label {
            command.args(["--vault-id", label]);
        }
    }
    let output = command.output().map_err(|error| {
        format!(
            "Problem running vault password script {shown} ({error}). If this is not a script, remove the executable bit from the file."
        )
    })?;
    let code = output.status.code().unwrap_or(-1);
    let said = || bytes_repr(&output.stderr);
    match (code, is_client) {
        (0, _) => spoken(&output.stdout).ok_or_else(|| format!("Invalid vault password was provided from script ({shown})")),
        (NOT_FOUND, true) => {
            let label = label.unwrap_or("None");
            Err(format!("Vault password client script {shown} did not find a secret for vault-id={label}: {}", said()))
        }
        (code, true) => {
            let label = label.unwrap_or("None");
            Err(format!(
                "Vault password client script {shown} returned non-zero ({code}) when getting secret for vault-id={label}: {}",
                said()
            ))
        }
        (code, false) => Err(format!("Vault password script {shown} returned non-zero ({code}): None")),
    }
}

/// What a program said, without the line breaks around it.
fn spoken(bytes: &[u8]) -> Option<VaultSecret> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = bytes.iter().position(|byte| !is_break(byte))?;
    let end = bytes.iter().rposition(|byte| !is_break(byte))?;
    Some(VaultSecret::new(&bytes[start..=end]))
}

/// A secret without the blanks around it, if any is left.
pub(super) fn secret_of(bytes: &[u8]) -> Option<VaultSecret> {
    let secret = bytes.trim_ascii();
    (!secret.is_empty()).then(|| VaultSecret::new(secret))
}

/// Bytes as Python prints them.
fn bytes_repr(bytes: &[u8]) -> String {
    format!("b'{}'", bytes.escape_ascii())
}
