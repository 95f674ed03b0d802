//! `Context`: what a list of tasks is loaded in, so that a dynamic include can be loaded in the same.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Keywords, Role};
use crate::value::Map;

/// What a list of tasks is loaded in.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Keywords in force around it.
    pub keywords: Arc<Keywords>,
    /// The role it is part of.
    pub role: Option<Arc<Role>>,
    /// Variables of the dynamic includes around it, the outermost first: they win over facts that were set.
    pub include_params: Vec<Arc<Map>>,
    /// The folder of the file.
    pub file_dir: PathBuf,
    /// Folders of the files that included it, the innermost first.
    pub including_dirs: Vec<PathBuf>,
    /// The folder of the playbook.
    pub playbook_dir: PathBuf,
    /// Variables of the play, for names of imported files.
    pub play_vars: Arc<Map>,
    /// Whether the tasks are handlers.
    pub handlers: bool,
    /// How many static imports are around it.
    pub imports: usize,
}

impl Context {
    /// The context of what a dynamic include in it includes: `apply` in force, and the include's variables as parameters.
    #[must_use]
    pub fn including(&self, apply: &Keywords, vars: &Arc<Map>) -> Self {
        let mut context = Self { imports: 0, ..self.clone() };
        context.keywords = context.keywords.inherited_by(apply.clone());
        if !vars.is_empty() {
            context.include_params.push(Arc::clone(vars));
        }
        context
    }

    /// Where files are looked for, first to last: the roles around, the file's folder, the folders of what included it, the
    /// playbook's.
    pub fn search_path(&self) -> Vec<PathBuf> {
        let mut path: Vec<PathBuf> = Vec::new();
        let roles = self.role.iter().flat_map(|role| std::iter::once(role).chain(&role.parents)).map(|role| role.path.clone());
        let rest = std::iter::once(self.file_dir.clone()).chain(self.including_dirs.iter().cloned()).chain([self.playbook_dir.clone()]);
        for dir in roles.chain(rest) {
            if !path.contains(&dir) {
                path.push(dir);
            }
        }
        path
    }
}
