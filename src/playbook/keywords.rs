//! `Keywords`: what a play, role, block or task says, together with what it got from what is around it. Values are as written:
//! templates are rendered per task.

use std::sync::Arc;

use super::keyword::{Inherit, Keyword};
use crate::source::Spanned;
use crate::value::{Map, Value};

/// Keywords in force. Immutable; what is inside and says nothing of its own shares its parent's.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    single: Vec<(Keyword, Spanned<Value>)>,
    /// Conditions, the outermost first; all must hold.
    pub when: Vec<Spanned<Value>>,
    /// Tags, the innermost first; each is a tag or a template of tags.
    pub tags: Vec<Spanned<Value>>,
    /// Environments, the outermost first; later ones win.
    pub environment: Vec<Spanned<Value>>,
    /// Defaults of modules and `group/`s by name, the outermost first; later ones win.
    pub module_defaults: Vec<(Spanned<String>, Spanned<Value>)>,
    /// `vars` of blocks, imports and of the task itself, the outermost first; the play's are the play's.
    pub vars: Vec<Arc<Map>>,
}

impl Keywords {
    /// What is in force for `keyword`; for those that have a single value.
    pub fn get(&self, keyword: Keyword) -> Option<&Spanned<Value>> {
        self.single.iter().find(|(name, _)| *name == keyword).map(|(_, value)| value)
    }

    /// Sets a single-valued keyword.
    pub fn set(&mut self, keyword: Keyword, value: Spanned<Value>) {
        match self.single.iter_mut().find(|(name, _)| *name == keyword) {
            Some((_, old)) => *old = value,
            None => self.single.push((keyword, value)),
        }
    }

    /// Takes a keyword away.
    pub fn unset(&mut self, keyword: Keyword) {
        self.single.retain(|(name, _)| *name != keyword);
        match keyword {
            Keyword::Environment => self.environment.clear(),
            Keyword::ModuleDefaults => self.module_defaults.clear(),
            Keyword::Tags => self.tags.clear(),
            Keyword::Vars => self.vars.clear(),
            Keyword::When => self.when.clear(),
            _ => {}
        }
    }

    /// The names of `collections:`, first to last.
    pub fn collections(&self) -> Vec<String> {
        match self.get(Keyword::Collections).map(|written| &written.value) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::Text(name)) => name.as_str().split(',').map(|name| name.trim().to_owned()).collect(),
            Some(_) | None => Vec::new(),
        }
    }

    /// What is in force for something that says `own` inside of what has `self`.
    pub fn inherited_by(self: &Arc<Self>, own: Self) -> Arc<Self> {
        if own.is_empty() {
            return Arc::clone(self);
        }
        let mut both = Self::clone(self);
        both.single.retain(|(keyword, _)| keyword.row().inherit == Inherit::Override);
        for (keyword, value) in own.single {
            both.set(keyword, value);
        }
        both.when.extend(own.when);
        both.tags = [own.tags, both.tags].concat();
        both.environment.extend(own.environment);
        both.module_defaults.extend(own.module_defaults);
        both.vars.extend(own.vars);
        Arc::new(both)
    }

    fn is_empty(&self) -> bool {
        self.single.is_empty()
            && self.when.is_empty()
            && self.tags.is_empty()
            && self.environment.is_empty()
            && self.module_defaults.is_empty()
            && self.vars.is_empty()
    }
}
