//! Filters of `community.general` that read and write tables: CSV and INI.

use super::{filter, refuse};
use crate::template::{Bound, Dict, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::{Key, Value};

use Param::{Optional, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "community.general.from_csv",
        &[Optional("dialect"), Optional("fieldnames"), Optional("delimiter"), Optional("skipinitialspace"), Optional("strict")],
        from_csv,
    ),
    filter("community.general.from_ini", &[Optional("delimiters"), RestNamed], from_ini),
    filter("community.general.to_ini", &[], to_ini),
];

/// How rows are read.
struct Dialect {
    delimiter: char,
    skips_blanks: bool,
    strict: bool,
}

fn from_csv(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let delimiter = match arguments.text(0)?.map_or("excel", |dialect| dialect.as_str()) {
        "excel" | "unix" => ',',
        "excel-tab" => '\t',
        other => return refuse(format!("Dialect '{other}' is not supported by your version of python.")),
    };
    let delimiter = match arguments.text(2)? {
        None => delimiter,
        Some(text) => match <[char; 1]>::try_from(text.as_str().chars().collect::<Vec<_>>()) {
            Ok([char]) => char,
            Err(_) => return refuse("Unable to create custom dialect: \"delimiter\" must be a 1-character string"),
        },
    };
    let dialect =
        Dialect { delimiter, skips_blanks: arguments.flag_or(evaluator, 3, false)?, strict: arguments.flag_or(evaluator, 4, false)? };
    let text = evaluator.text(value)?;
    let mut rows = dialect.rows(text.as_str())?.into_iter().filter(|row| !row.is_empty());
    let names: Vec<Key> = match arguments.get(1).filter(|names| !names.is_none()) {
        Some(names) => evaluator.items(names)?.iter().map(|name| evaluator.key(name)).collect::<Result<_>>()?,
        None => rows.next().unwrap_or_default().iter().map(|name| Key::from(name.as_str())).collect(),
    };
    let cell = |cell: &String| Val::from(evaluator.derived(&text, cell.as_str()));
    let mut dicts = Vec::new();
    for row in rows {
        let mut dict = Dict::new();
        for (index, name) in names.iter().enumerate() {
            dict.insert(name.clone(), row.get(index).map_or(Val::NONE, cell));
        }
        if row.len() > names.len() {
            // Python keeps the cells that have no name under `None`.
            let nameless = Key::new(Value::Null).expect("null is a key");
            dict.insert(nameless, Val::list(row[names.len()..].iter().map(cell).collect()));
        }
        dicts.push(Val::dict(dict));
    }
    Ok(Val::list(dicts))
}

impl Dialect {
    /// Rows of cells; a quoted cell may hold delimiters, line ends and doubled quotes.
    fn rows(&self, text: &str) -> Result<Vec<Vec<String>>> {
        let mut rows = vec![Vec::new()];
        let mut cell: Option<String> = None;
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let last = rows.last_mut().expect("there is always a row");
            match char {
                '\r' | '\n' => {
                    if char == '\r' {
                        chars.next_if_eq(&'\n');
                    }
                    last.extend(cell.take());
                    rows.push(Vec::new());
                }
                char if char == self.delimiter => {
                    last.push(cell.take().unwrap_or_default());
                    // What follows is a cell, though it may be empty.
                    cell = Some(String::new());
                }
                ' ' if self.skips_blanks && cell.as_ref().is_none_or(String::is_empty) => {}
                '"' if cell.as_ref().is_none_or(String::is_empty) => {
                    let quoted = cell.get_or_insert_default();
                    while let Some(char) = chars.next() {
                        match char {
                            '"' if chars.next_if_eq(&'"').is_none() => break,
                            char => quoted.push(char),
                        }
                    }
                    let ends = chars.peek().is_none_or(|next| *next == self.delimiter || matches!(next, '\r' | '\n'));
                    if self.strict && !ends {
                        return refuse(format!("Unable to process file: '{}' expected after '\"'", self.delimiter));
                    }
                }
                char => cell.get_or_insert_default().push(char),
            }
        }
        rows.last_mut().expect("there is always a row").extend(cell);
        Ok(rows)
    }
}

fn wrong_ini<T>(what: impl std::fmt::Display) -> Result<T> {
    refuse(format!("from_ini failed to parse given string: {what}"))
}

fn from_ini(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        return refuse(format!("from_ini requires a str, got <class '{}'>", value.type_name()));
    };
    let delimiters: Vec<char> = match arguments.get(0).filter(|given| !given.is_none()) {
        Some(given) => {
            let parts = evaluator.items(given)?;
            parts.iter().map(|part| Ok(evaluator.text(part)?.as_str().chars().collect::<Vec<_>>())).collect::<Result<Vec<_>>>()?.concat()
        }
        None => vec!['=', ':'],
    };
    let mut sections: indexmap::IndexMap<String, indexmap::IndexMap<String, String>> = indexmap::IndexMap::new();
    let mut broken = Vec::new();
    let mut current: Option<(String, Option<String>)> = None;
    for (index, line) in text.as_str().lines().enumerate() {
        let number = index + 1;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let (true, Some((section, Some(option)))) = (line.starts_with([' ', '\t']), &current) {
            let value = sections.get_mut(section).and_then(|options| options.get_mut(option)).expect("the option was read before");
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        if let Some((name, _)) = trimmed.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
            if name != "DEFAULT" && sections.contains_key(name) {
                return wrong_ini(format_args!("While reading from '<???>' [line {number:>2}]: section '{name}' already exists"));
            }
            sections.entry(name.to_owned()).or_default();
            current = Some((name.to_owned(), None));
            continue;
        }
        let Some((section, last)) = &mut current else {
            return wrong_ini(format_args!("File contains no section headers.\nfile: '<???>', line: {number}\n'{line}'"));
        };
        let Some((option, value)) = trimmed.split_once(delimiters.as_slice()) else {
            broken.push(format!("\n\t[line {number:>2}]: '{line}\\n'"));
            continue;
        };
        let option = option.trim_end().to_owned();
        let options = sections.get_mut(section.as_str()).expect("the section was read before");
        if options.insert(option.clone(), value.trim_start().to_owned()).is_some() {
            return wrong_ini(format_args!(
                "While reading from '<???>' [line {number:>2}]: option '{option}' in section '{section}' already exists"
            ));
        }
        *last = Some(option);
    }
    if !broken.is_empty() {
        return wrong_ini(format_args!("Source contains parsing errors: '<???>'{}", broken.concat()));
    }
    let defaults = sections.shift_remove("DEFAULT");
    let own = |options: &indexmap::IndexMap<String, String>| -> Val {
        Val::dict(
            options.iter().map(|(name, value)| (Key::from(name.as_str()), Val::from(evaluator.derived(text, value.as_str())))).collect(),
        )
    };
    let mut found = Dict::new();
    for (name, options) in &sections {
        let mut all = defaults.clone().unwrap_or_default();
        all.extend(options.clone());
        found.insert(Key::from(name.as_str()), own(&all));
    }
    if let Some(defaults) = &defaults {
        found.insert(Key::from("DEFAULT"), own(defaults));
    }
    Ok(Val::dict(found))
}

fn to_ini(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if !value.is_mapping() {
        return refuse(format!("to_ini requires a dict, got <class '{}'>", value.type_name()));
    }
    let wrong = |what: String| TemplateError::plugin(format!("to_ini failed to parse given dict:{what}"));
    let mut sections = Vec::new();
    for (name, options) in evaluator.entries(value)? {
        if !options.is_mapping() {
            return Err(wrong(format!("'{}' object has no attribute 'items'", options.type_name())));
        }
        let mut section = format!("[{}]\n", evaluator.text(&Val::Plain(name.value().clone()))?.as_str());
        for (option, val) in evaluator.entries(&options)? {
            if !matches!(val, Val::Plain(Value::Text(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_))) {
                return Err(wrong("option values must be strings".to_owned()));
            }
            let shown = evaluator.text(&val)?.as_str().replace('\n', "\n\t");
            section += &format!("{} = {shown}\n", evaluator.text(&Val::Plain(option.value().clone()))?.as_str());
        }
        sections.push(section);
    }
    if sections.is_empty() {
        return refuse("to_ini received an empty dict. An empty dict cannot be converted.");
    }
    let text = crate::value::Text::from(sections.join("\n"));
    Ok(Val::from(if evaluator.text(value)?.is_secret() { text.into_secret() } else { text }))
}
