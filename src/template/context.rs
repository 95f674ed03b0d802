//! What a render knows of the world beside its variables: where files are looked for, and what the upper floors answer.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::{Result, TemplateError};
use crate::value::Value;
use crate::vault::{self, Content, Vault};

/// What one task's templates share beside their variables.
#[derive(Clone)]
pub struct Context {
    /// Directories in which relative files are looked for, best first: the role's, the task file's, the play's. Each is asked
    /// with the kind's subdirectory (`files`, `templates`, `vars`) and without.
    pub search_path: Vec<PathBuf>,
    /// The directory of the playbook; the last resort.
    pub playbook_dir: PathBuf,
    /// What only the upper floors know.
    pub lookups: Arc<dyn WorldLookups>,
    /// Whether `do`, `break` and `continue` are known (`jinja2_extensions`).
    pub extensions: Extensions,
    /// What becomes of values that look like templates and that nobody vouches for.
    pub untrusted: Untrusted,
}

/// What becomes of a value that looks like a template and that nobody vouches for. It is never rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Untrusted {
    /// It is data.
    #[default]
    Ignore,
    /// It is data, and the user is told.
    Warn,
    /// It is an error.
    Refuse,
}

/// Which tags beyond Jinja's own are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Extensions {
    /// `{% do … %}`
    pub do_tag: bool,
    /// `{% break %}`, `{% continue %}`
    pub loop_controls: bool,
}

/// Answers that templates ask for and only upper floors have.
pub trait WorldLookups: Send + Sync {
    /// The hosts that an inventory pattern names.
    fn inventory_hostnames(&self, pattern: &str) -> Result<Vec<Arc<str>>>;

    /// A setting of the configuration.
    fn config(&self, setting: &str) -> Result<Value>;

    /// The secrets of the run.
    fn vault(&self) -> &Arc<Vault>;

    /// Whether the user has ended the run: nobody waits for programs any more.
    fn is_interrupted(&self) -> bool {
        false
    }

    /// The content of a file, decrypted where it is in a vault.
    fn read_file(&self, path: &std::path::Path) -> Result<Vec<u8>> {
        self.read(path).map(|content| content.bytes)
    }

    /// As [`WorldLookups::read_file`], with whether it was in a vault.
    fn read(&self, path: &std::path::Path) -> Result<Content> {
        self.vault().read(path).map_err(|error| match vault::error_of(&error) {
            Some(sealed) => TemplateError::plugin(sealed.to_string()),
            None => TemplateError::plugin(format!("failed to read `{}`: {error}", path.display())),
        })
    }
}

/// No inventory, no settings and no secrets: for tests and for tools that render without a run.
pub struct NoWorld;

static NO_VAULT: LazyLock<Arc<Vault>> = LazyLock::new(Arc::default);

impl WorldLookups for NoWorld {
    fn inventory_hostnames(&self, pattern: &str) -> Result<Vec<Arc<str>>> {
        Err(TemplateError::plugin(format!("there is no inventory in which to look for `{pattern}`")))
    }

    fn config(&self, setting: &str) -> Result<Value> {
        Err(TemplateError::plugin(format!("No config definition exists for '{setting}'.")))
    }

    fn vault(&self) -> &Arc<Vault> {
        &NO_VAULT
    }
}

impl Context {
    /// A context whose only place is `playbook_dir`.
    pub fn of_playbook(playbook_dir: PathBuf, lookups: Arc<dyn WorldLookups>) -> Self {
        Self {
            search_path: vec![playbook_dir.clone()],
            playbook_dir,
            lookups,
            extensions: Extensions::default(),
            untrusted: Untrusted::Ignore,
        }
    }

    /// The file `name` of kind `subdirectory` (`files`, `templates`, `vars`), looked for as Ansible does.
    pub fn find_file(&self, subdirectory: &str, name: &str) -> Option<PathBuf> {
        let name = std::path::Path::new(name);
        if name.is_absolute() {
            return name.is_file().then(|| name.to_path_buf());
        }
        let places = self.search_path.iter().chain(std::iter::once(&self.playbook_dir));
        places.flat_map(|place| [place.join(subdirectory).join(name), place.join(name)]).find(|path| path.exists())
    }
}
