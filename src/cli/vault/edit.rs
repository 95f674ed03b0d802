//! `vault create`, `edit`: the plain text goes to an editor in a file of its own, which is overwritten and gone at the end.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::files::{Mode, Place, open, read, write};
use super::{Common, EncryptFlags, seal};
use crate::cli::session::{Exit, Session};
use crate::display::Display;
use crate::source::absolute;
use crate::transport::shell;

/// What was typed for `create`.
#[derive(Args, Clone, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    encrypt: EncryptFlags,
    /// Open the editor without a terminal, too.
    #[arg(long = "skip-tty-check")]
    skip_tty_check: bool,
    /// The file.
    files: Vec<PathBuf>,
}

/// What was typed for `edit`.
#[derive(Args, Clone, Debug)]
pub(super) struct EditArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    encrypt: EncryptFlags,
    /// The files.
    files: Vec<PathBuf>,
}

pub(super) fn create(args: &CreateArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let sealer = session.sealer(&args.common, &args.encrypt)?;
    let [file] = &args.files[..] else {
        return Err(session.refuse("ansible-vault create can take only one filename argument", 5));
    };
    if !args.skip_tty_check && !Display::is_terminal() {
        return Err(session.refuse("not a tty, editor cannot be opened", 5));
    }
    if file.is_file() {
        return Err(session.refuse(format!("{} exists, please use 'edit' instead", file.display()), 1));
    }
    let path = absolute(file);
    if let (Some(folder), Some(shown)) = (path.parent(), file.parent())
        && !folder.exists()
    {
        session.display.warning(&format!("{} does not exist, creating...", shown.display()));
        std::fs::create_dir_all(folder).map_err(|error| session.refuse(format!("could not create `{}`: {error}", folder.display()), 1))?;
    }
    let plain = edited(&mut session, &path, &[])?;
    let sealed = sealer.seal(&mut session, &plain)?;
    write(&mut session, &Place::File(path), sealed.as_bytes(), Mode::Private)
}

/// The id and the secret stay those that the file has.
pub(super) fn edit(args: &EditArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let vault = session.opener(&args.common)?;
    if let Some(wanted) = session.encrypt_id(&args.encrypt)
        && !vault.secrets().iter().any(|(id, _)| *id == wanted)
    {
        let known: Vec<String> = vault.secrets().iter().map(|(id, _)| format!("'{id}'")).collect();
        let message = format!("Did not find a match for --encrypt-vault-id={wanted} in the known vault-ids [{}]", known.join(", "));
        return Err(session.refuse(message, 1));
    }
    for file in &args.files {
        let path = absolute(file);
        let sealed = read(&mut session, &Place::File(path.clone()))?;
        let opened = open(&mut session, &vault, &sealed, "edit", &path.display().to_string())?;
        let plain = edited(&mut session, &path, &opened.plain)?;
        if plain == opened.plain {
            continue;
        }
        let salt = session.salt();
        let sealed = seal(&mut session, &plain, &opened.secret, &opened.id, salt.as_deref())?;
        write(&mut session, &Place::File(path), sealed.as_bytes(), Mode::Keep)?;
    }
    Ok(())
}

/// What the user makes of `plain`.
fn edited(session: &mut Session, path: &Path, plain: &[u8]) -> Result<Vec<u8>, Exit> {
    // Ctrl-C is the editor's: we outlive it and clean up.
    let interrupted = Arc::new(AtomicBool::new(false));
    let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP];
    let handlers: Vec<_> =
        signals.into_iter().filter_map(|signal| signal_hook::flag::register(signal, Arc::clone(&interrupted)).ok()).collect();
    let result = Draft::new(path, plain)
        .map_err(|error| format!("could not make a file for the editor: {error}"))
        .and_then(|draft| draft.edit(&session.config.editor.value));
    for handler in handlers {
        signal_hook::low_level::unregister(handler);
    }
    result.map_err(|message| session.refuse(message, 1))
}

/// A file that its owner alone can read, in a folder that its owner alone can enter.
struct Draft {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Draft {
    /// Named as the vault, so that the editor knows what is in it.
    fn new(vault: &Path, plain: &[u8]) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        // `tempfile` makes folders that others cannot enter.
        let folder = tempfile::Builder::new().prefix("driftless-vault-").tempdir()?;
        let path = folder.path().join(vault.file_name().unwrap_or("vault".as_ref()));
        let draft = Self { folder, path };
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.path)?;
        file.write_all(plain)?;
        Ok(draft)
    }

    fn edit(&self, editor: &str) -> Result<Vec<u8>, String> {
        let words = shell::split(editor).map_err(|error| format!("the setting `editor` is `{editor}`: {error}"))?;
        let Some((program, arguments)) = words.split_first() else { return Err("the setting `editor` is empty".to_owned()) };
        let shown = format!("{editor} {}", self.path.display());
        let status = Command::new(program).args(arguments).arg(&self.path).status();
        let status = status.map_err(|error| format!("Unable to execute the command \"{shown}\": {error}"))?;
        if !status.success() {
            return Err(format!("Unable to execute the command \"{shown}\": it ended with {status}"));
        }
        std::fs::read(&self.path).map_err(|error| format!("could not read what the editor left: {error}"))
    }
}

impl Drop for Draft {
    /// Editors may leave copies beside the file: all of the folder is overwritten, then it goes.
    fn drop(&mut self) {
        for entry in std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            // What cannot be overwritten is at least removed.
            let _ = overwrite(&entry.path());
        }
    }
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    if !path.symlink_metadata()?.is_file() {
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let mut noise = [0; 4096];
    while left > 0 {
        let count = left.min(4096);
        let part = &mut noise[..usize::try_from(count).unwrap_or(4096)];
        rustix::rand::getrandom(&mut *part, rustix::rand::GetRandomFlags::empty())?;
        file.write_all(part)?;
        left -= count;
    }
    file.sync_all()
}
