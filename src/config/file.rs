//! `ansible.cfg`: sections, `key = value` or `key: value`, continued lines, comments behind ` ;`; as Python's configparser.

use std::sync::Arc;

use crate::source::{Diagnostic, Diagnostics, Source, Span};

/// The entries of a settings file.
pub(super) struct ConfigFile {
    pub entries: Vec<Entry>,
}

pub(super) struct Entry {
    pub section: String,
    /// In lower case.
    pub key: String,
    pub value: String,
    pub span: Span,
}

impl ConfigFile {
    /// The entries; `None` where the file is none.
    pub fn parse(source: &Arc<Source>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut section: Option<String> = None;
        let mut entries: Vec<Entry> = Vec::new();
        let mut start = 0;
        let mut broken = false;
        for line in source.text().split_inclusive('\n') {
            let content = without_comment(line.trim_end());
            let trimmed = content.trim();
            let at = start + (content.len() - content.trim_start().len());
            let span = Span::new(source, at, at + trimmed.len());
            start += line.len();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            let mut fail = |message: String| {
                diagnostics.push(Diagnostic::error(message).at(&span));
                broken = true;
            };
            if content.starts_with([' ', '\t'])
                && let Some(last) = entries.last_mut()
            {
                last.value += "\n";
                last.value += trimmed;
            } else if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
                section = Some(name.to_owned());
            } else if let Some(section) = &section {
                let (key, value) = trimmed.find(['=', ':']).map_or((trimmed, ""), |at| (&trimmed[..at], &trimmed[at + 1..]));
                let key = key.trim().to_lowercase();
                if entries.iter().any(|entry| entry.section == *section && entry.key == key) {
                    fail(format!("the setting `{key}` of `[{section}]` is there twice"));
                } else {
                    entries.push(Entry { section: section.clone(), key, value: value.trim().to_owned(), span });
                }
            } else {
                fail("found a setting before the first `[section]`".to_owned());
            }
        }
        (!broken).then_some(Self { entries })
    }

    /// The entry `section.key`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        let (section, key) = name.split_once('.')?;
        self.entries.iter().find(|entry| entry.section == section && entry.key == key)
    }
}

/// A `;` behind a blank begins a comment.
fn without_comment(line: &str) -> &str {
    let begin = line.match_indices(';').map(|(at, _)| at).find(|at| *at == 0 || line[..*at].ends_with([' ', '\t']));
    begin.map_or(line, |at| line[..at].trim_end())
}
