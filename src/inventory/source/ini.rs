//! INI inventories, as Ansible reads them: sections of hosts, `:children`, `:vars`; values are Python literals.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Builder, Candidate, Failure, Plugin, expand, literal};
use crate::inventory::{GroupId, Inventory};
use crate::source::{Diagnostic, Source, Span};
use crate::value::Value;

/// `ini`
pub(super) struct Ini;

impl Plugin for Ini {
    fn name(&self) -> &'static str {
        "ini"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_file() && candidate.extension() != ".toml"
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        Ok(read(candidate.source()?, builder)?)
    }
}

/// Adds what `source` says; the first mistake stops, what stood before it stays.
fn read(source: &Arc<Source>, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    let mut reader = Reader {
        source,
        builder,
        group: "ungrouped".to_owned(),
        id: Some(Inventory::UNGROUPED),
        section: Section::Hosts,
        pending: IndexMap::new(),
    };
    let mut start = source.text().len() - source.text().trim_start_matches('\u{feff}').len();
    for line in source.text()[start..].split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() && !trimmed.starts_with(['#', ';']) {
            let at = start + line.find(trimmed).unwrap_or(0);
            reader.line(Line { text: trimmed, at })?;
        }
        start += line.len();
    }
    reader.finish()
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Hosts,
    Children,
    Vars,
}

/// A line without the blanks around it.
#[derive(Clone, Copy)]
struct Line<'l> {
    text: &'l str,
    at: usize,
}

/// A group that was named before its own section.
struct Pending {
    section: Section,
    /// Where it was named.
    span: Span,
    /// Groups that want it as a child.
    parents: Vec<GroupId>,
    /// Variables of its `:vars` section.
    vars: Vec<(String, Value)>,
}

struct Reader<'r, 'b> {
    source: &'r Arc<Source>,
    builder: &'r mut Builder<'b>,
    group: String,
    /// The group of this section; none while only its variables are known.
    id: Option<GroupId>,
    section: Section,
    pending: IndexMap<String, Pending>,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: Line<'_>) -> Result<(), Diagnostic> {
        if let Some((group, kind)) = header(line.text) {
            return self.begin(line, group, kind);
        }
        if line.text.starts_with('[') && line.text.ends_with(']') {
            let error = format!("invalid section entry `{}`", line.text);
            return Err(self
                .error(line, error)
                .hint("make sure that there are no spaces in the section entry, and no other invalid characters"));
        }
        match self.section {
            Section::Hosts => self.hosts(line),
            Section::Children => self.child(line),
            Section::Vars => self.variable(line),
        }
    }

    fn begin(&mut self, line: Line<'_>, group: &str, kind: Option<&str>) -> Result<(), Diagnostic> {
        self.section = match kind {
            None | Some("hosts") => Section::Hosts,
            Some("children") => Section::Children,
            Some("vars") => Section::Vars,
            Some(other) => {
                let error = format!("section `[{group}:{other}]` has unknown type `{other}`, expected `hosts`, `children` or `vars`");
                return Err(self.error(line, error));
            }
        };
        self.group = group.to_owned();
        let known = self.builder.inventory.group_named(group);
        if known.is_none() && self.section == Section::Vars {
            self.id = None;
            let span = self.span(line);
            self.pending.entry(group.to_owned()).or_insert_with(|| Pending {
                section: Section::Vars,
                span,
                parents: Vec::new(),
                vars: Vec::new(),
            });
            return Ok(());
        }
        let id = self.builder.group(group);
        self.id = Some(id);
        if self.section != Section::Vars
            && let Some(pending) = self.pending.shift_remove(group)
        {
            for parent in pending.parents {
                self.adopt(parent, id, &pending.span)?;
            }
            for (name, value) in pending.vars {
                self.builder.inventory.set_group_variable(id, &name, value);
            }
        }
        Ok(())
    }

    fn hosts(&mut self, line: Line<'_>) -> Result<(), Diagnostic> {
        let words =
            split(line.text).map_err(|problem| self.error(line, format!("failed to parse host definition `{}`: {problem}", line.text)))?;
        let Some((pattern, assignments)) = words.split_first() else { return Ok(()) };
        let (names, port) =
            expand::expand(&pattern.text).map_err(|problem| Diagnostic::error(problem).at(&self.part(line, pattern.start, pattern.end)))?;
        let mut vars: Vec<(String, Value)> = Vec::with_capacity(assignments.len());
        for word in assignments {
            let Some((key, value)) = word.text.split_once('=') else {
                let error = format!("expected key=value host variable assignment, got `{}`", word.text);
                return Err(Diagnostic::error(error).at(&self.part(line, word.start, word.end)));
            };
            let from = line.text[word.start..word.end].find('=').map_or(word.start, |at| word.start + at + 1);
            vars.push((key.to_owned(), literal::value(value, &self.part(line, from, word.end))));
        }
        let id = self.id.expect("a section of hosts makes its group");
        for name in &names {
            self.builder.host(name, id, port, &vars);
        }
        Ok(())
    }

    fn child(&mut self, line: Line<'_>) -> Result<(), Diagnostic> {
        let name = line.text.split('#').next().unwrap_or_default().trim();
        if name.is_empty() || name.contains([':', ']']) || name.contains(char::is_whitespace) {
            return Err(self.error(line, format!("expected group name, got `{}`", line.text)));
        }
        let parent = self.id.expect("a section of children makes its group");
        let span = self.part(line, 0, name.len());
        match self.builder.inventory.group_named(name) {
            Some(child) => self.adopt(parent, child, &span),
            None => {
                let pending = self.pending.entry(name.to_owned()).or_insert_with(|| Pending {
                    section: Section::Children,
                    span: span.clone(),
                    parents: Vec::new(),
                    vars: Vec::new(),
                });
                pending.parents.push(parent);
                if pending.section == Section::Vars {
                    (pending.section, pending.span) = (Section::Children, span);
                }
                Ok(())
            }
        }
    }

    fn adopt(&mut self, parent: GroupId, child: GroupId, span: &Span) -> Result<(), Diagnostic> {
        self.builder.inventory.add_child(parent, child).map_err(|error| Diagnostic::error(error.to_string()).at(span))
    }

    fn variable(&mut self, line: Line<'_>) -> Result<(), Diagnostic> {
        let Some((key, value)) = line.text.split_once('=') else {
            return Err(self.error(line, format!("expected key=value, got `{}`", line.text)));
        };
        let written = value.trim();
        let from = line.text.len() - written.len();
        let value = literal::value(written, &self.part(line, from, line.text.len()));
        let key = key.trim();
        match self.id {
            Some(id) => self.builder.inventory.set_group_variable(id, key, value),
            None => self.pending.get_mut(&self.group).expect("begin() noted the section").vars.push((key.to_owned(), value)),
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Diagnostic> {
        let Some((name, pending)) = self.pending.into_iter().next() else { return Ok(()) };
        let error = match pending.section {
            Section::Vars => format!("section `[{name}:vars]` is not valid for the undefined group `{name}`"),
            Section::Children | Section::Hosts => {
                let parent = pending.parents.first().map_or("", |id| self.builder.inventory.group(*id).name());
                format!("section `[{parent}:children]` includes the undefined group `{name}`")
            }
        };
        Err(Diagnostic::error(error).at(&pending.span))
    }

    fn span(&self, line: Line<'_>) -> Span {
        self.part(line, 0, line.text.len())
    }

    fn part(&self, line: Line<'_>, from: usize, to: usize) -> Span {
        Span::new(self.source, line.at + from, line.at + to)
    }

    fn error(&self, line: Line<'_>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.span(line))
    }
}

/// `[group]`, `[group:kind]`, with a comment behind.
fn header(line: &str) -> Option<(&str, Option<&str>)> {
    let (inner, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with('#') {
        return None;
    }
    let (group, kind) = inner.split_once(':').map_or((inner, None), |(group, kind)| (group, Some(kind)));
    let is_word = |kind: &str| !kind.is_empty() && kind.chars().all(|character| character.is_alphanumeric() || character == '_');
    let fits = !group.is_empty() && !group.contains(char::is_whitespace) && kind.is_none_or(is_word);
    fits.then_some((group, kind))
}

/// A word of a host line, without quotes, and where it was written.
struct Word {
    text: String,
    start: usize,
    end: usize,
}

/// The words of a line as a POSIX shell has them; `#` begins a comment, also within a word.
fn split(line: &str) -> Result<Vec<Word>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<char> = None;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        if quote.is_none() {
            if character == '#' {
                break;
            }
            if matches!(character, ' ' | '\t' | '\r' | '\n') {
                words.extend(word.take());
                continue;
            }
        }
        let word = word.get_or_insert_with(|| Word { text: String::new(), start: at, end });
        word.end = end;
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None | Some('"'), '\\') => {
                let (next_at, next) = characters.next().ok_or("no escaped character")?;
                if quote.is_some() && !matches!(next, '"' | '\\') {
                    word.text.push('\\');
                }
                word.text.push(next);
                word.end = next_at + next.len_utf8();
            }
            _ => word.text.push(character),
        }
    }
    if quote.is_some() {
        return Err("no closing quotation");
    }
    words.extend(word);
    Ok(words)
}
