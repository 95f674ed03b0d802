//! `vault encrypt`, `decrypt`, `rekey`, `view`: whole files, or stdin.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Common, EncryptFlags, OutputFlags};
use crate::cli::session::{Exit, Session};
use crate::display::Display;
use crate::source::absolute;
use crate::vault::{Opened, Vault, VaultId, VaultSource, is_vault};

/// What was typed for `encrypt`.
#[derive(Args, Clone, Debug)]
pub(super) struct EncryptArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    encrypt: EncryptFlags,
    #[command(flatten)]
    output: OutputFlags,
    /// The files; stdin where none is named.
    files: Vec<PathBuf>,
}

/// What was typed for `decrypt`.
#[derive(Args, Clone, Debug)]
pub(super) struct DecryptArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    output: OutputFlags,
    /// The files; stdin where none is named.
    files: Vec<PathBuf>,
}

/// What was typed for `rekey`.
#[derive(Args, Clone, Debug)]
pub(super) struct RekeyArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    encrypt: EncryptFlags,
    /// A file with the new password.
    #[arg(long = "new-vault-password-file")]
    new_vault_password_file: Option<String>,
    /// The new secret: `label@source`.
    #[arg(long = "new-vault-id", conflicts_with = "new_vault_password_file")]
    new_vault_id: Option<String>,
    /// The files.
    files: Vec<PathBuf>,
}

/// What was typed for `view`.
#[derive(Args, Clone, Debug)]
pub(super) struct ViewArgs {
    #[command(flatten)]
    common: Common,
    /// The files; `-` is stdin.
    files: Vec<PathBuf>,
}

pub(super) fn encrypt(args: &EncryptArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let jobs = jobs(&mut session, &args.files, args.output.output.as_deref(), "plaintext")?;
    let sealer = session.sealer(&args.common, &args.encrypt)?;
    for job in jobs {
        let plain = read(&mut session, &job.from)?;
        if is_vault(&plain) {
            return Err(session.refuse("input is already encrypted", 1));
        }
        let sealed = sealer.seal(&mut session, &plain)?;
        write(&mut session, &job.to, sealed.as_bytes(), Mode::Private)?;
    }
    session.succeeded("Encryption successful");
    Ok(())
}

pub(super) fn decrypt(args: &DecryptArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let jobs = jobs(&mut session, &args.files, args.output.output.as_deref(), "ciphertext")?;
    let vault = session.opener(&args.common)?;
    for job in jobs {
        let sealed = read(&mut session, &job.from)?;
        let opened = open(&mut session, &vault, &sealed, "decrypt", &shown(&job.from))?;
        write(&mut session, &job.to, &opened.plain, Mode::Private)?;
    }
    session.succeeded("Decryption successful");
    Ok(())
}

pub(super) fn rekey(args: &RekeyArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let vault = session.opener(&args.common)?;
    let identity = session.config.vault_identity.value.clone();
    let new = match (&args.new_vault_id, &args.new_vault_password_file) {
        (Some(text), _) => VaultId::parse(text, |path| session.path(path)),
        (None, Some(file)) => VaultId { label: Some(identity), source: VaultSource::File(session.path(file)) },
        (None, None) => VaultId { label: Some(identity), source: VaultSource::PlainPrompt },
    };
    let wanted = session.encrypt_id(&args.encrypt);
    let sealer = session.sealer_of(&[new], wanted)?;
    for file in &args.files {
        let path = absolute(file);
        let sealed = read(&mut session, &Place::File(path.clone()))?;
        let opened = open(&mut session, &vault, &sealed, "rekey", &path.display().to_string())?;
        let sealed = sealer.seal(&mut session, &opened.plain)?;
        write(&mut session, &Place::File(path), sealed.as_bytes(), Mode::Keep)?;
    }
    session.display.note("Rekey successful");
    Ok(())
}

pub(super) fn view(args: &ViewArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let vault = session.opener(&args.common)?;
    for file in &args.files {
        let sealed = read(&mut session, &place(file))?;
        let opened = open(&mut session, &vault, &sealed, "view", &file.display().to_string())?;
        let pager = session.config.pager.value.clone();
        session.display.page(&String::from_utf8_lossy(&opened.plain).replace('\u{fffd}', "?"), &pager);
    }
    Ok(())
}

/// Where bytes come from or go to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Standard,
    File(PathBuf),
}

struct Job {
    from: Place,
    to: Place,
}

/// What is to be read and written: files in place, unless an output is named; stdin and stdout without files.
fn jobs(session: &mut Session, files: &[PathBuf], output: Option<&Path>, what: &str) -> Result<Vec<Job>, Exit> {
    if output.is_some() && files.len() > 1 {
        return Err(session.refuse("At most one input file may be used with the --output option", 5));
    }
    if files.is_empty() {
        if Display::can_ask() {
            session.display.note(&format!("Reading {what} input from stdin"));
        }
        return Ok(vec![Job { from: Place::Standard, to: output.map_or(Place::Standard, place) }]);
    }
    let job = |file: &PathBuf| Job { from: place(file), to: place(output.unwrap_or(file)) };
    Ok(files.iter().map(job).collect())
}

fn place(path: &Path) -> Place {
    if path == Path::new("-") { Place::Standard } else { Place::File(absolute(path)) }
}

fn shown(place: &Place) -> String {
    match place {
        Place::Standard => "-".to_owned(),
        Place::File(path) => path.display().to_string(),
    }
}

pub(super) fn read(session: &mut Session, place: &Place) -> Result<Vec<u8>, Exit> {
    let read = match place {
        Place::Standard => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        Place::File(path) => std::fs::read(path),
    };
    read.map_err(|error| {
        let text = error.to_string();
        let (reason, code) = (text.split(" (os error").next().unwrap_or(&text), error.raw_os_error().unwrap_or_default());
        let path = shown(place);
        session.refuse(format!("Unable to read source file ({path}): [Errno {code}] {reason}: '{path}'"), 1)
    })
}

pub(super) fn open(session: &mut Session, vault: &Vault, sealed: &[u8], what: &str, name: &str) -> Result<Opened, Exit> {
    vault.open(sealed).map_err(|error| session.refuse(format!("Failed to {what} '{name}': {error}"), 1))
}

/// Who may read a file that is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// Its owner alone.
    Private,
    /// Whoever may read it already.
    Keep,
}

/// Writes a whole file at once, through a link if it is one: nobody sees half of it, and an error leaves the old one.
pub(super) fn write(session: &mut Session, place: &Place, bytes: &[u8], mode: Mode) -> Result<(), Exit> {
    let Place::File(path) = place else {
        session.display.bytes(bytes);
        return Ok(());
    };
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let folder = path.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        return Err(session.refuse(format!("Destination '{}' not writable", folder.display()), 1));
    }
    replace(&path, folder, bytes, mode).map_err(|error| session.refuse(format!("could not write `{}`: {error}", path.display()), 1))
}

fn replace(path: &Path, folder: &Path, bytes: &[u8], mode: Mode) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    if let (Mode::Keep, Ok(old)) = (mode, std::fs::metadata(path)) {
        // Somebody else's file stays theirs where we may give it away.
        let _ = std::os::unix::fs::fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
