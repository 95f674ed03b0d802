//! Lookups in INI and CSV files.

use super::file::{bytes_of, read};
use super::{flag_or, given, refuse, refuse_option, split_term, text_or};
use crate::template::python::codec::Codec;
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::{Evaluator, Lookup, Options, Result, TemplateError, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup { name: "csvfile", options: &["col", "default", "delimiter", "encoding", "file", "keycol"], run: csvfile },
    Lookup { name: "ini", options: INI, run: ini },
];

const INI: &[&str] =
    &["allow_no_value", "allow_none", "case_sensitive", "default", "encoding", "file", "interpolation", "re", "section", "type"];

fn check_encoding(evaluator: &Evaluator, options: &Options, lookup: &str) -> Result<()> {
    match text_or(evaluator, options, "encoding", "utf-8")?.as_str().to_lowercase().as_str() {
        "utf-8" | "utf8" | "ascii" => Ok(()),
        _ => refuse_option(lookup, "encoding"),
    }
}

fn number(evaluator: &Evaluator, options: &Options, name: &str, default: usize) -> Result<usize> {
    let text = text_or(evaluator, options, name, "")?;
    if text.as_str().is_empty() {
        return Ok(default);
    }
    text.as_str().parse().or_else(|_| refuse(format!("invalid literal for int() with base 10: '{}'", text.as_str())))
}

fn csvfile(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut found = Vec::new();
    for term in terms {
        let (key, options) = split_term(evaluator, term, options)?;
        if key.is_empty() {
            return refuse("Search key is required but was not found");
        }
        check_encoding(evaluator, &options, "csvfile")?;
        let delimiter = match text_or(evaluator, &options, "delimiter", "TAB")?.as_str() {
            "TAB" | "\t" => '\t',
            other => match <[char; 1]>::try_from(other.chars().collect::<Vec<_>>()) {
                Ok([char]) => char,
                Err(_) => return refuse("\"delimiter\" must be a 1-character string"),
            },
        };
        let (col, keycol) = (number(evaluator, &options, "col", 1)?, number(evaluator, &options, "keycol", 0)?);
        let (_, bytes) = bytes_of(evaluator, text_or(evaluator, &options, "file", "ansible.csv")?.as_str())?;
        let content = Codec::Utf8 { marked: false }.decode(&bytes, "strict").or_else(refuse)?;
        let mut value = None;
        for row in csv_rows(&content, delimiter).iter().filter(|row| !row.is_empty()) {
            if row.get(keycol) == Some(&key) {
                match row.get(col) {
                    Some(cell) => value = Some(Val::from(cell.as_str())),
                    None => return refuse("list index out of range"),
                }
                break;
            }
        }
        if let Some(value) = value.or_else(|| given(&options, "default").cloned()) {
            found.extend(super::collection::flatten(evaluator, &[value])?);
        }
    }
    Ok(found)
}

/// Rows of cells; a quoted cell may hold delimiters, line ends and doubled quotes.
fn csv_rows(content: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut begun = false;
    let mut chars = content.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() && !begun => (quoted, begun) = (true, true),
            other if quoted => cell.push(other),
            other if other == delimiter => {
                row.push(std::mem::take(&mut cell));
                begun = false;
            }
            '\r' | '\n' => {
                if char == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                if begun || !cell.is_empty() || !row.is_empty() {
                    row.push(std::mem::take(&mut cell));
                }
                rows.push(std::mem::take(&mut row));
                begun = false;
            }
            other => cell.push(other),
        }
    }
    if begun || !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

fn ini(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut values = Vec::new();
    for term in terms {
        let (key, options) = split_term(evaluator, term, options)?;
        check_encoding(evaluator, &options, "ini")?;
        let file = text_or(evaluator, &options, "file", "ansible.ini")?;
        let Some(path) = evaluator.context().find_file("files", file.as_str()) else {
            return refuse("Invalid filename None.");
        };
        let is_properties = text_or(evaluator, &options, "type", "ini")?.as_str() == "properties";
        let mut content = read(evaluator, file.as_str())?;
        let mut section = text_or(evaluator, &options, "section", "global")?.as_str().to_owned();
        if is_properties {
            section = "java_properties".to_owned();
            content = format!("[{section}]\n{content}");
        }
        let case_sensitive = flag_or(evaluator, &options, "case_sensitive", false)?;
        let allow_none = flag_or(evaluator, &options, "allow_no_value", false)? || flag_or(evaluator, &options, "allow_none", false)?;
        let parsed =
            Ini::parse(&content, case_sensitive, allow_none).or_else(|message| refuse(format!("{message} in '{}'", path.display())))?;
        let Some(entries) = parsed.section(&section) else {
            return refuse(format!("No section '{section}' in '{}'.", path.display()));
        };
        let interpolation = flag_or(evaluator, &options, "interpolation", true)?;
        let shown = |value: &Option<String>| -> Result<Val> {
            match value {
                None => Ok(Val::NONE),
                Some(value) if interpolation => parsed.interpolate(&section, value, 0).map(Val::from),
                Some(value) => Ok(Val::from(value.as_str())),
            }
        };
        if flag_or(evaluator, &options, "re", false)? {
            let failed = |error: crate::template::python::regex::RegexError| TemplateError::plugin(error.to_string());
            let pattern = compile(&key, Flags::default(), Anchor::Start).map_err(failed)?;
            for (name, value) in &entries {
                if pattern.is_match(name).map_err(failed)? {
                    values.push(shown(value)?);
                }
            }
            continue;
        }
        let wanted = if case_sensitive { key } else { key.to_lowercase() };
        values.push(match entries.iter().find(|(name, _)| *name == wanted) {
            Some((_, value)) => shown(value)?,
            None => given(&options, "default").cloned().unwrap_or_else(|| Val::from("")),
        });
    }
    Ok(values)
}

type Entries = Vec<(String, Option<String>)>;

/// A file as Python's `configparser` reads it.
struct Ini {
    sections: Vec<(String, Entries)>,
}

impl Ini {
    fn parse(content: &str, case_sensitive: bool, allow_none: bool) -> Result<Self, String> {
        let mut sections: Vec<(String, Entries)> = Vec::new();
        let mut indent = 0;
        for (index, line) in content.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            let own_indent = line.len() - line.trim_start().len();
            let last = sections.last_mut().and_then(|(_, entries)| entries.last_mut());
            if trimmed.is_empty() || own_indent > indent {
                if let Some((_, Some(value))) = last {
                    value.push('\n');
                    value.push_str(trimmed);
                    continue;
                }
                if trimmed.is_empty() {
                    continue;
                }
            }
            indent = own_indent;
            if let Some((name, _)) = trimmed.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
                if sections.iter().any(|(known, _)| known == name) && name != "DEFAULT" {
                    return Err(format!("section '{name}' already exists"));
                }
                sections.push((name.to_owned(), Vec::new()));
                continue;
            }
            let Some((_, entries)) = sections.last_mut() else {
                return Err(format!("File contains no section headers, line {}", index + 1));
            };
            let (name, value) = match trimmed.split_once(['=', ':']) {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start().to_owned())),
                None if allow_none => (trimmed, None),
                None => return Err(format!("Source contains parsing errors, line {}", index + 1)),
            };
            let name = if case_sensitive { name.to_owned() } else { name.to_lowercase() };
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(format!("option '{name}' already exists"));
            }
            entries.push((name, value));
        }
        for (_, value) in sections.iter_mut().flat_map(|(_, entries)| entries) {
            if let Some(value) = value {
                value.truncate(value.trim_end().len());
            }
        }
        Ok(Self { sections })
    }

    /// The entries of a section, with those of `DEFAULT` that it lacks.
    fn section(&self, name: &str) -> Option<Entries> {
        let find = |name: &str| self.sections.iter().find(|(known, _)| known == name).map(|(_, entries)| entries);
        let mut entries = find(name)?.clone();
        for default in find("DEFAULT").into_iter().flatten() {
            if entries.iter().all(|(name, _)| *name != default.0) {
                entries.push(default.clone());
            }
        }
        Some(entries)
    }

    /// `%(name)s` becomes the entry of that name, `%%` a percent sign.
    fn interpolate(&self, section: &str, value: &str, depth: usize) -> Result<String> {
        if depth > 10 {
            return refuse(format!("Value interpolation too deeply recursive: {value}"));
        }
        let mut out = String::new();
        let mut rest = value;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('%') {
                out.push('%');
                rest = tail;
                continue;
            }
            let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(")s")) else {
                return refuse(format!("'%' must be followed by '%' or '(', found: '{}'", &rest[at..]));
            };
            let entries = self.section(section).unwrap_or_default();
            let found = entries.into_iter().find(|(known, _)| *known == name.to_lowercase() || known == name);
            let Some((_, Some(inner))) = found else {
                return refuse(format!("Bad value substitution: there is no option '{name}' in section '{section}'"));
            };
            out.push_str(&self.interpolate(section, &inner, depth + 1)?);
            rest = tail;
        }
        Ok(out + rest)
    }
}
