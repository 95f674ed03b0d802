//! `VaultId`: where a secret comes from: `label@source`, where the source is a prompt, a file or a program.

use std::path::{Path, PathBuf};

use super::envelope::DEFAULT_ID;
use super::{VaultSecret, program};

/// The source that asks at the terminal.
const PROMPT: &str = "prompt";

/// One secret that is to be had: its label and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultId {
    /// Its label, where one was written.
    pub label: Option<String>,
    /// Where it comes from.
    pub source: VaultSource,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultSource {
    /// Somebody types it; the prompt names the label.
    Prompt,
    /// Somebody types it; `--ask-vault-password`, where the prompt names no label.
    PlainPrompt,
    /// It is in a file, or a program at this path says it.
    File(PathBuf),
}

/// What a secret is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A vault is there and is to be opened.
    Open,
    /// A vault is to be made: asked twice.
    Create,
}

/// Somebody who can be asked at the terminal: the prompt goes out, what is typed is not seen. `None` at the end of input.
pub type Ask<'a> = &'a mut dyn FnMut(&str) -> Option<String>;

impl VaultId {
    /// Reads `label@source` or `source`; `path` makes a path of what is written as one.
    pub fn parse(text: &str, path: impl Fn(&str) -> PathBuf) -> Self {
        let (label, source) = text.split_once('@').map_or((None, text), |(label, source)| (Some(label), source));
        let source = if source == PROMPT { VaultSource::Prompt } else { VaultSource::File(path(source)) };
        Self { label: label.filter(|label| !label.is_empty()).map(str::to_owned), source }
    }

    /// The label, or the one of vaults that name none.
    pub fn label_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.label.as_deref().unwrap_or(default)
    }

    /// What went wrong, as it is said before what went wrong exactly.
    fn prefix(&self, what: &str) -> String {
        format!("{what} ({})", self.label.as_deref().unwrap_or("None"))
    }

    /// Gets the secret. The error is its message for people, and the same with what was being done before it.
    pub fn secret(&self, prompt: Prompt, ask: Ask<'_>) -> Result<VaultSecret, (String, String)> {
        let (what, secret) = match &self.source {
            VaultSource::Prompt => {
                let label = self.label_or(DEFAULT_ID);
                ("Error in vault password prompt", typed(prompt, label, &format!("ault password ({label}): "), ask))
            }
            VaultSource::PlainPrompt => {
                ("Error in vault password prompt", typed(prompt, self.label_or(DEFAULT_ID), "ault password: ", ask))
            }
            VaultSource::File(path) => match self.missing(path) {
                Some(error) => ("Error getting vault password file", Err(error)),
                None => ("Error in vault password file loading", self.read(path)),
            },
        };
        secret.map_err(|error| (format!("{}: {error}", self.prefix(what)), error))
    }

    fn missing(&self, path: &Path) -> Option<String> {
        if path.is_dir() {
            return Some(format!("The vault password file provided '{}' can not be a directory", path.display()));
        }
        (!path.exists()).then(|| format!("The vault password file {} was not found", path.display()))
    }

    fn read(&self, path: &Path) -> Result<VaultSecret, String> {
        if program::is_program(path) {
            return program::secret(path, self.label.as_deref());
        }
        let bytes = std::fs::read(path).map_err(|error| format!("Could not read vault password file {}: {error}", path.display()))?;
        program::secret_of(&bytes).ok_or_else(|| format!("Invalid vault password was provided from file ({})", path.display()))
    }
}

/// A password from the terminal. Ansible writes the plain prompts as `Vault password` and `New Vault password`.
fn typed(prompt: Prompt, label: &str, rest: &str, ask: Ask<'_>) -> Result<VaultSecret, String> {
    let mut once = |text: String| ask(&text).ok_or_else(|| format!("EOFError (ctrl-d) on prompt for ({label})"));
    let capital = if rest.starts_with("ault password:") { 'V' } else { 'v' };
    let password = match prompt {
        Prompt::Open => once(format!("V{rest}"))?,
        Prompt::Create => {
            let first = once(format!("New {capital}{rest}"))?;
            if once(format!("Confirm {}ew {capital}{rest}", if capital == 'V' { 'N' } else { 'n' }))? != first {
                return Err("Passwords do not match".to_owned());
            }
            first
        }
    };
    program::secret_of(password.as_bytes()).ok_or_else(|| "Invalid vault password was provided".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(id: &VaultId, prompt: Prompt, answers: &[&str]) -> (Vec<String>, Result<VaultSecret, String>) {
        let (mut prompts, mut answers) = (Vec::new(), answers.iter());
        let secret = id.secret(prompt, &mut |text| {
            prompts.push(text.to_owned());
            answers.next().map(|answer| (*answer).to_owned())
        });
        (prompts, secret.map_err(|(_, error)| error))
    }

    #[test]
    fn ids_are_labels_and_sources() {
        let parse = |text: &str| VaultId::parse(text, |path| PathBuf::from("/d").join(path));
        let file = |name: &str| VaultSource::File(PathBuf::from(name));
        assert_eq!(parse("a@b@c"), VaultId { label: Some("a".to_owned()), source: file("/d/b@c") });
        assert_eq!(parse("x"), VaultId { label: None, source: file("/d/x") });
        assert_eq!(parse("x@prompt").source, VaultSource::Prompt);
        assert_eq!(parse("prompt"), VaultId { label: None, source: VaultSource::Prompt });
    }

    #[test]
    fn prompts_are_ansible_s() {
        let plain = VaultId { label: None, source: VaultSource::PlainPrompt };
        let named = VaultId { label: Some("lab".to_owned()), source: VaultSource::Prompt };
        assert_eq!(asked(&plain, Prompt::Open, &["x"]).0, ["Vault password: "]);
        assert_eq!(asked(&plain, Prompt::Create, &["x", "x"]).0, ["New Vault password: ", "Confirm New Vault password: "]);
        assert_eq!(asked(&named, Prompt::Open, &["x"]).0, ["Vault password (lab): "]);
        assert_eq!(asked(&named, Prompt::Create, &["x", "x"]).0, ["New vault password (lab): ", "Confirm new vault password (lab): "]);
        assert_eq!(asked(&named, Prompt::Create, &["x", "y"]).1, Err("Passwords do not match".to_owned()));
        assert_eq!(asked(&named, Prompt::Open, &[]).1, Err("EOFError (ctrl-d) on prompt for (lab)".to_owned()));
    }

    #[test]
    fn files_and_programs_give_secrets() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let secret = |name: &str, content: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let id = VaultId { label: Some("lab".to_owned()), source: VaultSource::File(path) };
            let shown = |error: String| error.replace(&format!("{}/", folder.path().display()), "");
            asked(&id, Prompt::Open, &[]).1.map(|secret| String::from_utf8_lossy(secret.reveal()).into_owned()).map_err(shown)
        };
        assert_eq!(secret("plain", "  pw \n\n", 0o600).as_deref(), Ok("pw"));
        assert_eq!(secret("empty", "\n", 0o600), Err("Invalid vault password was provided from file (empty)".to_owned()));
        assert_eq!(secret("program", "#!/bin/sh\necho got $#\n", 0o700).as_deref(), Ok("got 0"));
        assert_eq!(secret("my-client", "#!/bin/sh\necho $1 $2\n", 0o700).as_deref(), Ok("--vault-id lab"));
        assert_eq!(
            secret("failing", "#!/bin/sh\nexit 3\n", 0o700),
            Err("Vault password script failing returned non-zero (3): None".to_owned())
        );
        assert_eq!(
            secret("no-client", "#!/bin/sh\nexit 2\n", 0o700),
            Err("Vault password client script no-client did not find a secret for vault-id=lab: b''".to_owned())
        );
    }
}
