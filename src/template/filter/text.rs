//! Filters of texts.

use super::{attribute, derived, filter, refuse, wrap};
use crate::template::python::html::{escape, escaped, striptags};
use crate::template::python::letters::capitalize;
use crate::template::python::lines::split_lines;
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::python::shlex;
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::{Text, Value};

use Param::{Optional, Required, Rest, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("capitalize", &[], |evaluator, value, _| map_alike(evaluator, value, capitalize)),
    filter("center", &[Optional("width")], center),
    filter("comment", COMMENT, comment),
    filter("e", &[], |evaluator, value, _| markup(evaluator, value, escaped)),
    filter("escape", &[], |evaluator, value, _| markup(evaluator, value, escaped)),
    filter("forceescape", &[], |evaluator, value, _| markup(evaluator, value, |text| escape(text.as_str()))),
    filter("format", &[Rest, RestNamed], format_values),
    filter("indent", &[Optional("width"), Optional("first"), Optional("blank")], indent),
    filter("join", &[Optional("d"), Optional("attribute")], join),
    filter("lower", &[], |evaluator, value, _| map_alike(evaluator, value, str::to_lowercase)),
    filter("quote", &[], quote),
    filter("replace", &[Required("old"), Required("new"), Optional("count")], replace),
    filter("safe", &[], |evaluator, value, _| markup(evaluator, value, |text| text.as_str().to_owned())),
    filter("split", &[Optional("sep"), Optional("maxsplit")], split),
    filter("string", &[], |evaluator, value, _| evaluator.text(value).map(Val::from)),
    filter("striptags", &[], |evaluator, value, _| map(evaluator, value, striptags)),
    filter("title", &[], |evaluator, value, _| map(evaluator, value, title)),
    filter("trim", &[Optional("chars")], trim),
    filter("truncate", &[Optional("length"), Optional("killwords"), Optional("end"), Optional("leeway")], truncate),
    filter("upper", &[], |evaluator, value, _| map_alike(evaluator, value, str::to_uppercase)),
    filter("wordcount", &[], wordcount),
    filter("wordwrap", WORDWRAP, wordwrap),
    filter("xmlattr", &[Optional("autospace")], xmlattr),
];

const COMMENT: &[Param] = &[
    Optional("style"),
    Optional("decoration"),
    Optional("beginning"),
    Optional("end"),
    Optional("newline"),
    Optional("prefix"),
    Optional("prefix_count"),
    Optional("postfix"),
    Optional("postfix_count"),
];
const WORDWRAP: &[Param] = &[Optional("width"), Optional("break_long_words"), Optional("wrapstring"), Optional("break_on_hyphens")];

fn map(evaluator: &Evaluator, value: &Val, change: impl Fn(&str) -> String) -> Result<Val> {
    let text = evaluator.text(value)?;
    let changed = change(text.as_str());
    evaluator.charge(changed.len())?;
    Ok(derived(evaluator, &text, changed))
}

/// As [`map`]; markup stays markup.
fn map_alike(evaluator: &Evaluator, value: &Val, change: impl Fn(&str) -> String) -> Result<Val> {
    let text = evaluator.text(value)?;
    let changed = change(text.as_str());
    evaluator.charge(changed.len())?;
    Ok(Val::from(evaluator.alike(&text, changed)))
}

/// Text that is HTML from now on.
fn markup(evaluator: &Evaluator, value: &Val, change: impl Fn(&Text) -> String) -> Result<Val> {
    let text = evaluator.text(value)?;
    let changed = change(&text);
    evaluator.charge(changed.len())?;
    Ok(Val::from(evaluator.derived(&text, changed).into_markup()))
}

/// The text of an argument, or `default` where it was not given or is `None`.
fn text_or(evaluator: &Evaluator, arguments: &Bound, index: usize, default: &str) -> Result<Text> {
    match arguments.get(index) {
        Some(val) if !val.is_none() => evaluator.text(val),
        _ => Ok(Text::from(default)),
    }
}

/// A count that may be large but never negative.
fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn center(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let width = size(arguments.int_or(0, 80)?);
    evaluator.charge(width)?;
    map_alike(evaluator, value, |text| {
        let length = text.chars().count();
        let margin = width.saturating_sub(length);
        let left = margin / 2 + (margin & width & 1);
        format!("{}{text}{}", " ".repeat(left), " ".repeat(margin - left))
    })
}

/// What each style of `comment` draws.
struct Style {
    beginning: &'static str,
    decoration: &'static str,
    end: &'static str,
}

fn comment_style(name: &str) -> Option<Style> {
    let (beginning, decoration, end) = match name {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return None,
    };
    Some(Style { beginning, decoration, end })
}

fn comment(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let name = text_or(evaluator, arguments, 0, "plain")?;
    let Some(style) = comment_style(name.as_str()) else {
        return refuse(format!("Invalid style '{}'.", name.as_str()));
    };
    let option = |index, default: &str| Ok::<_, TemplateError>(text_or(evaluator, arguments, index, default)?.as_str().to_owned());
    let decoration = option(1, style.decoration)?;
    let beginning = option(2, style.beginning)?;
    let end = option(3, style.end)?;
    let newline = option(4, "\n")?;
    let prefix = option(5, decoration.trim_end())?;
    let prefix_count = size(arguments.int_or(6, 1)?);
    let postfix = option(7, decoration.trim_end())?;
    let postfix_count = size(arguments.int_or(8, 1)?);
    evaluator.charge((prefix.len() + newline.len()).saturating_mul(prefix_count))?;
    evaluator.charge((postfix.len() + newline.len()).saturating_mul(postfix_count))?;
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&(beginning + &newline));
    }
    if !prefix.is_empty() && prefix_count > 0 {
        out.push_str(&vec![prefix.as_str(); prefix_count].join(&newline));
        out.push_str(&newline);
    }
    let lines: Vec<&str> = text.as_str().split(newline.as_str()).collect();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push_str(&newline);
        }
        // A line without text, but for the last, ends where its decoration's characters end.
        let has_next = index + 1 < lines.len();
        out.push_str(if line.is_empty() && has_next { decoration.trim_end() } else { &decoration });
        out.push_str(line);
    }
    for _ in 0..postfix_count {
        out.push_str(&newline);
        out.push_str(&postfix);
    }
    if !end.is_empty() {
        out.push_str(&newline);
        out.push_str(&end);
    }
    Ok(derived(evaluator, &text, out))
}

fn format_values(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let values = if arguments.named.is_empty() {
        Val::tuple(arguments.rest.clone())
    } else if arguments.rest.is_empty() {
        let named = arguments.named.iter().map(|(name, val)| (crate::value::Key::from(&**name), val.clone()));
        Val::dict(named.collect())
    } else {
        return refuse("can't handle positional and keyword arguments at the same time");
    };
    evaluator.percent_format(&Val::from(text), &values)
}

fn indent(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        return refuse(format!("unsupported operand type(s) for +=: '{}' and 'str'", value.type_name()));
    };
    let indention = match arguments.get(0) {
        Some(Val::Plain(Value::Text(indention))) => indention.as_str().to_owned(),
        _ => " ".repeat(size(arguments.int_or(0, 4)?.min(100_000))),
    };
    let first = arguments.flag_or(evaluator, 1, false)?;
    let blank = arguments.flag_or(evaluator, 2, false)?;
    let with_end = format!("{}\n", text.as_str());
    let lines = split_lines(&with_end);
    evaluator.charge(with_end.len() + indention.len().saturating_mul(lines.len()))?;
    let mut out = String::new();
    for (index, line) in lines.into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if if index == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(Val::from(evaluator.alike(text, out)))
}

fn join(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let between = text_or(evaluator, arguments, 0, "")?;
    let mut secret = between.is_secret();
    let mut out = String::new();
    for (index, val) in evaluator.items(value)?.into_iter().enumerate() {
        let val = match arguments.get(1) {
            Some(path) if !path.is_none() => attribute(evaluator, &val, path, None)?,
            _ => val,
        };
        let text = evaluator.text(&val)?;
        secret |= text.is_secret();
        if index > 0 {
            out.push_str(between.as_str());
        }
        out.push_str(text.as_str());
    }
    evaluator.charge(out.len())?;
    let text = Text::from(out);
    Ok(Val::from(if secret { text.into_secret() } else { text }))
}

fn quote(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if value.is_none() {
        return Ok(Val::from("''"));
    }
    let text = evaluator.decoded(value)?;
    Ok(derived(evaluator, &text, shlex::quote(text.as_str())))
}

fn replace(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let old = evaluator.text(arguments.required(0))?;
    let new = evaluator.text(arguments.required(1))?;
    let count = match arguments.get(2) {
        Some(count) if !count.is_none() => arguments.int_or(2, -1).map(|_| count.as_int())?,
        _ => None,
    };
    let text = evaluator.text(value)?;
    let matches = if old.as_str().is_empty() { text.as_str().len() + 1 } else { text.as_str().len() / old.as_str().len() };
    evaluator.charge(text.as_str().len() + matches.saturating_mul(new.as_str().len()))?;
    let replaced = match count {
        Some(count) if count >= 0 => text.as_str().replacen(old.as_str(), new.as_str(), size(count)),
        _ => text.as_str().replace(old.as_str(), new.as_str()),
    };
    let replaced = derived(evaluator, &text, replaced);
    Ok(if new.is_secret() { secret(replaced) } else { replaced })
}

fn secret(val: Val) -> Val {
    match val {
        Val::Plain(Value::Text(text)) => Val::from(text.into_secret()),
        other => other,
    }
}

fn split(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        return refuse(format!("descriptor 'split' for 'str' objects doesn't apply to a '{}' object", value.type_name()));
    };
    let limit = usize::try_from(arguments.int_or(1, -1)?).unwrap_or(usize::MAX);
    let separator = match arguments.get(0) {
        None => None,
        Some(val) if val.is_none() => None,
        Some(val) => match val.as_str() {
            Some("") => return refuse("empty separator"),
            Some(separator) => Some(separator),
            None => return refuse(format!("must be str or None, not {}", val.type_name())),
        },
    };
    let pieces: Vec<&str> = match separator {
        Some(separator) => text.as_str().splitn(limit.saturating_add(1), separator).collect(),
        None => split_blanks(text.as_str(), limit),
    };
    Ok(Val::list(pieces.into_iter().map(|piece| derived(evaluator, text, piece)).collect()))
}

fn split_blanks(text: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        match rest.find(char::is_whitespace) {
            Some(end) if pieces.len() < limit => {
                pieces.push(&rest[..end]);
                rest = rest[end..].trim_start();
            }
            _ => {
                pieces.push(if pieces.len() < limit { rest.trim_end() } else { rest });
                break;
            }
        }
    }
    pieces
}

/// A word begins behind a blank, a hyphen or an opening bracket.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for char in text.chars() {
        if begins {
            out.extend(char.to_uppercase());
        } else {
            out.extend(char.to_lowercase());
        }
        begins = char.is_whitespace() || matches!(char, '-' | '(' | '{' | '[' | '<');
    }
    out
}

fn trim(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    match arguments.text(0)? {
        None => map_alike(evaluator, value, |text| text.trim_matches(is_blank).to_owned()),
        Some(chars) => map_alike(evaluator, value, |text| text.trim_matches(|char| chars.as_str().contains(char)).to_owned()),
    }
}

/// Python's blanks are Unicode's and the four separators.
fn is_blank(char: char) -> bool {
    char.is_whitespace() || matches!(char, '\x1c'..='\x1f')
}

fn truncate(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let length = arguments.int_or(0, 255)?;
    let end = text_or(evaluator, arguments, 2, "...")?;
    let leeway = match arguments.get(3) {
        Some(val) if val.is_none() => 5,
        _ => arguments.int_or(3, 5)?,
    };
    let end_length = i64::try_from(end.as_str().chars().count()).unwrap_or(i64::MAX);
    if length < end_length {
        return refuse(format!("expected length >= {end_length}, got {length}"));
    }
    if leeway < 0 {
        return refuse(format!("expected leeway >= 0, got {leeway}"));
    }
    let count = i64::try_from(evaluator.length(value)?).unwrap_or(i64::MAX);
    if count <= length.saturating_add(leeway) {
        return Ok(value.as_text().map_or_else(|| value.clone(), |text| Val::from(evaluator.derived(text, text.as_str()))));
    }
    let Some(text) = value.as_text() else { return no_attribute(value, "rsplit") };
    let kept: String = text.as_str().chars().take(size(length - end_length)).collect();
    let kept =
        if arguments.flag_or(evaluator, 1, false)? { kept.as_str() } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(head, _)| head) };
    Ok(derived(evaluator, text, format!("{kept}{}", end.as_str())))
}

/// What Python says where only a text has what a filter needs.
pub(super) fn no_attribute<T>(value: &Val, name: &str) -> Result<T> {
    refuse(format!("'{}' object has no attribute '{name}'", value.type_name()))
}

fn wordcount(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let words = compile(r"\w+", Flags::default(), Anchor::Anywhere).and_then(|pattern| pattern.find_all(text.as_str(), 0));
    Ok(Val::from(words.map_err(|error| TemplateError::plugin(error.to_string()))?.len()))
}

fn wordwrap(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let width = arguments.int_or(0, 79)?;
    if width <= 0 {
        return refuse(format!("invalid width {width} (must be > 0)"));
    }
    let options = wrap::WrapOptions {
        width: size(width),
        break_long_words: arguments.flag_or(evaluator, 1, true)?,
        break_on_hyphens: arguments.flag_or(evaluator, 3, true)?,
    };
    let between = text_or(evaluator, arguments, 2, "\n")?;
    let Some(text) = value.as_text() else { return no_attribute(value, "splitlines") };
    let mut lines = Vec::new();
    for line in split_lines(text.as_str()) {
        let wrapped = wrap::wrap(line, &options).map_err(|error| TemplateError::plugin(error.to_string()))?;
        lines.push(wrapped.join(between.as_str()));
    }
    Ok(derived(evaluator, text, lines.join(between.as_str())))
}

fn xmlattr(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let mut attributes = Vec::new();
    for (key, val) in evaluator.entries(value)? {
        if val.is_none() || val.is_undefined() {
            continue;
        }
        let key = evaluator.text(&Val::Plain(key.value().clone()))?;
        if key.as_str().contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return refuse(format!("Invalid character in attribute name: '{}'", key.as_str()));
        }
        attributes.push(format!("{}=\"{}\"", escape(key.as_str()), escape(evaluator.text(&val)?.as_str())));
    }
    let space = if arguments.flag_or(evaluator, 0, true)? && !attributes.is_empty() { " " } else { "" };
    Ok(Val::from(format!("{space}{}", attributes.join(" "))))
}
