//! `Playbook` and `Play`.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Block, Entry, Keyword, Keywords, Role};
use crate::source::{Span, Spanned};
use crate::template::print::shown;
use crate::value::{Map, Value};

/// A playbook file with all it imports.
#[derive(Debug)]
pub struct Playbook {
    /// The file that was named.
    pub path: PathBuf,
    /// Its plays, those of imported playbooks in their place.
    pub plays: Vec<Arc<Play>>,
}

/// A play. Immutable once loaded.
#[derive(Debug)]
pub struct Play {
    /// Where it was written.
    pub span: Span,
    /// `name:`, may be a template; the hosts' pattern is shown where there is none.
    pub name: Option<Spanned<Value>>,
    /// `hosts:`, as written: text or list.
    pub hosts: Spanned<Value>,
    /// What is in force for its tasks.
    pub keywords: Arc<Keywords>,
    /// Keywords that only plays have, as written.
    pub own: Keywords,
    /// The folder of its playbook.
    pub dir: PathBuf,
    /// `vars:`.
    pub vars: Arc<Map>,
    /// `vars_files:`; each is one file or a list of which the first that is there is taken.
    pub vars_files: Vec<Spanned<Value>>,
    /// `vars_prompt:`.
    pub vars_prompt: Vec<VarsPrompt>,
    /// Uses of roles by `roles:`, dependencies first: their variables are seen by the whole play.
    pub roles: Vec<Arc<Role>>,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Entry>,
    /// Tasks of `roles`, each use in a block of its own.
    pub role_tasks: Vec<Entry>,
    /// `tasks`.
    pub tasks: Vec<Entry>,
    /// `post_tasks`.
    pub post_tasks: Vec<Entry>,
    /// Handlers in the order they run: those of roles, the play's, those of roles that are imported.
    pub handlers: Arc<Block>,
}

impl Play {
    /// The patterns that a rendered `hosts:` is; none where it names nobody.
    pub fn patterns(hosts: &Value) -> Result<Vec<String>, String> {
        let items = match hosts {
            Value::Null => return Ok(Vec::new()),
            Value::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let pattern = |item: &Value| match item {
            Value::Text(text) if text.as_str().trim().is_empty() => {
                Err("Error processing keyword 'hosts': Keyword 'hosts' is required, and cannot have empty values.".to_owned())
            }
            Value::Text(text) => Ok(text.as_str().to_owned()),
            other => {
                Err(format!("Error processing keyword 'hosts': Keyword 'hosts' items must be of type 'str', not '{}'.", other.type_name()))
            }
        };
        items.iter().map(pattern).collect()
    }

    /// What a play without a name is called: the list of its hosts as written, or what its text was rendered to.
    pub fn hosts_name(&self, rendered: &Value) -> String {
        match (&self.hosts.value, rendered) {
            (Value::List(items), _) => items.iter().map(shown).collect::<Vec<_>>().join(","),
            (_, Value::Null) => String::new(),
            (_, rendered) => shown(rendered),
        }
    }

    /// The keyword of the play alone, as written.
    pub fn get(&self, keyword: Keyword) -> Option<&Spanned<Value>> {
        self.own.get(keyword).or_else(|| self.keywords.get(keyword))
    }
}

/// An entry of `vars_prompt:`.
#[derive(Clone, Debug)]
pub struct VarsPrompt {
    /// The variable.
    pub name: Spanned<String>,
    /// What is asked; the name where nothing is said.
    pub prompt: Option<Value>,
    /// What an empty answer means.
    pub default: Option<Value>,
    /// Whether the answer is not shown.
    pub private: bool,
    /// Whether it is asked twice.
    pub confirm: bool,
    /// Whether the answer is a text that may hold template marks.
    pub is_unsafe: bool,
    /// The algorithm that the answer is hashed with.
    pub encrypt: Option<Value>,
    /// The salt of the hash.
    pub salt: Option<Value>,
    /// How long a salt that is made up is.
    pub salt_size: Option<Value>,
}
