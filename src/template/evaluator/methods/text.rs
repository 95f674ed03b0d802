//! Methods of `str`.

use super::super::super::{Result, TemplateError, Val};
use super::super::Evaluator;
use super::Call;
use super::bytes::encode;
use super::translate::{make_table, translate};
use crate::template::python::html::{escaped, striptags, unescape};
use crate::template::python::letters::{capitalize, title};
use crate::template::python::lines::{split_keeping_ends, split_lines};
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::value::{Text, Value};

/// The methods there are.
pub const METHODS: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

/// The methods that markup has beside them.
pub const MARKUP_METHODS: &[&str] = &["striptags", "unescape"];

/// Calls the method `name` of `text`.
#[expect(clippy::too_many_lines, reason = "a flat list of methods")]
pub fn call(evaluator: &Evaluator, text: &Text, name: &str, call: Call) -> Result<Val> {
    let chars = text.as_str();
    let own = |made: String| Ok(Val::from(evaluator.alike(text, made)));
    let parts = |made: Vec<String>| Ok(Val::list(made.into_iter().map(|part| Val::from(evaluator.alike(text, part))).collect()));
    let triple = |made: [&str; 3]| Ok(Val::tuple(made.iter().map(|part| Val::from(evaluator.alike(text, *part))).collect()));
    match name {
        "format" => return evaluator.brace_format(text, &call.arguments),
        "format_map" => {
            let named = call.arguments.positional.first().map_or(Ok(Vec::new()), |mapping| evaluator.entries(mapping))?;
            let named = named.into_iter().filter_map(|(key, val)| Some((key.as_str()?.into(), val))).collect();
            return evaluator.brace_format(text, &super::super::super::Arguments { positional: Vec::new(), named });
        }
        _ => {}
    }
    match name {
        "capitalize" | "casefold" | "lower" | "upper" | "swapcase" | "title" => {
            call.expect(0, 0)?;
            own(match name {
                "capitalize" => capitalize(chars),
                "casefold" => unicase::UniCase::unicode(chars).to_folded_case(),
                "lower" => chars.to_lowercase(),
                "upper" => chars.to_uppercase(),
                "swapcase" => chars.chars().map(swap_case).collect(),
                _ => title(chars),
            })
        }
        "isalnum" | "isalpha" | "isascii" | "isdecimal" | "isdigit" | "isidentifier" | "islower" | "isnumeric" | "isprintable"
        | "isspace" | "istitle" | "isupper" => {
            call.expect(0, 0)?;
            Ok(Val::from(is_kind(chars, name)))
        }
        "center" | "ljust" | "rjust" => {
            call.expect(1, 2)?;
            let fill = call.text(1, "fillchar")?.unwrap_or(" ");
            if fill.chars().count() != 1 {
                return Err(TemplateError::conversion("The fill character must be exactly one character long"));
            }
            let missing = padding(chars, call.int(0, "width")?.unwrap_or(0));
            evaluator.charge(missing.saturating_mul(fill.len()))?;
            // Python puts the odd blank of a centred text to the left where the width is odd.
            let width = chars.chars().count() + missing;
            let left = match name {
                "ljust" => 0,
                "rjust" => missing,
                _ => missing / 2 + (missing & width & 1),
            };
            own(format!("{}{chars}{}", fill.repeat(left), fill.repeat(missing - left)))
        }
        "zfill" => {
            call.expect(1, 1)?;
            let missing = padding(chars, call.int(0, "width")?.unwrap_or(0));
            evaluator.charge(missing)?;
            let (sign, digits) = if chars.starts_with(['+', '-']) { chars.split_at(1) } else { ("", chars) };
            own(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "count" => {
            call.expect(1, 3)?;
            let (_, part) = window(chars, &call)?;
            let needle = call.text(0, "sub")?.unwrap_or_default();
            Ok(Val::from(if needle.is_empty() { part.chars().count() + 1 } else { part.matches(needle).count() }))
        }
        "find" | "rfind" | "index" | "rindex" => {
            call.expect(1, 3)?;
            let (first, part) = window(chars, &call)?;
            let needle = call.text(0, "sub")?.unwrap_or_default();
            let found = if name.starts_with('r') { part.rfind(needle) } else { part.find(needle) };
            match found {
                Some(byte) => Ok(Val::from(first + part[..byte].chars().count())),
                None if name.ends_with("index") => Err(TemplateError::conversion("substring not found")),
                None => Ok(Val::from(-1_i64)),
            }
        }
        "startswith" | "endswith" => {
            call.expect(1, 3)?;
            let (_, part) = window(chars, &call)?;
            let affixes = match call.get(0, "prefix") {
                Some(val @ Val::Tuple(_)) => evaluator.items(val)?,
                Some(val) => vec![val.clone()],
                None => Vec::new(),
            };
            for affix in &affixes {
                let Some(affix) = affix.as_str() else {
                    return Err(TemplateError::conversion(format!(
                        "{name} first arg must be str or a tuple of str, not {}",
                        affix.type_name()
                    )));
                };
                if if name == "startswith" { part.starts_with(affix) } else { part.ends_with(affix) } {
                    return Ok(Val::from(true));
                }
            }
            Ok(Val::from(false))
        }
        "encode" => {
            let (encoding, errors) = (call.text(0, "encoding")?.unwrap_or("utf-8"), call.text(1, "errors")?.unwrap_or("strict"));
            encode(text, encoding, errors)
        }
        "striptags" => {
            call.expect(0, 0)?;
            Ok(Val::from(evaluator.derived(text, striptags(chars))))
        }
        "unescape" => {
            call.expect(0, 0)?;
            Ok(Val::from(evaluator.derived(text, unescape(chars))))
        }
        "translate" => {
            call.expect(1, 1)?;
            own(translate(evaluator, chars, &call.arguments.positional[0])?)
        }
        "maketrans" => make_table(evaluator, &call),
        "expandtabs" => {
            let size = call.int(0, "tabsize")?.unwrap_or(8).clamp(0, 1000);
            let blanks = chars.matches('\t').count().saturating_mul(usize::try_from(size).unwrap_or(0));
            evaluator.charge(chars.len().saturating_add(blanks))?;
            own(expand_tabs(chars, size))
        }
        "join" => {
            call.expect(1, 1)?;
            join(evaluator, text, &call.arguments.positional[0])
        }
        "strip" | "lstrip" | "rstrip" => {
            call.expect(0, 1)?;
            let set = call.text(0, "chars")?;
            let is = |char: char| set.map_or_else(|| char.is_whitespace(), |set| set.contains(char));
            own(match name {
                "lstrip" => chars.trim_start_matches(is),
                "rstrip" => chars.trim_end_matches(is),
                _ => chars.trim_matches(is),
            }
            .to_owned())
        }
        "partition" | "rpartition" => {
            call.expect(1, 1)?;
            let separator = nonempty(call.text(0, "sep")?.unwrap_or_default())?;
            let split = if name == "partition" { chars.split_once(separator) } else { chars.rsplit_once(separator) };
            match split {
                Some((before, after)) => triple([before, separator, after]),
                None if name == "partition" => triple([chars, "", ""]),
                None => triple(["", "", chars]),
            }
        }
        "removeprefix" => {
            call.expect(1, 1)?;
            own(chars.strip_prefix(call.text(0, "prefix")?.unwrap_or_default()).unwrap_or(chars).to_owned())
        }
        "removesuffix" => {
            call.expect(1, 1)?;
            own(chars.strip_suffix(call.text(0, "suffix")?.unwrap_or_default()).unwrap_or(chars).to_owned())
        }
        "replace" => {
            call.expect(2, 3)?;
            let part = |index: usize, name: &str| -> Result<String> {
                call.text(index, name)?;
                let given = call.get(index, name).and_then(Val::as_text);
                Ok(given.map_or_else(String::new, |part| if text.is_markup() { escaped(part) } else { part.as_str().to_owned() }))
            };
            let (old, new) = (&*part(0, "old")?, &*part(1, "new")?);
            let most = call.int(2, "count")?.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
            let count = if old.is_empty() { chars.chars().count() + 1 } else { chars.matches(old).count() };
            evaluator.charge(chars.len().saturating_add(new.len().saturating_mul(count.min(most))))?;
            let made = chars.replacen(old, new, most);
            let secret = [0, 1].iter().any(|index| call.get(*index, "").and_then(Val::as_text).is_some_and(Text::is_secret));
            let made = evaluator.alike(text, made);
            Ok(Val::from(if secret { made.into_secret() } else { made }))
        }
        "split" | "rsplit" => {
            call.expect(0, 2)?;
            let most = call.int(1, "maxsplit")?.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            evaluator.charge(chars.len().saturating_mul(32))?;
            let from_end = name == "rsplit";
            parts(match call.text(0, "sep")? {
                None => split_blanks(chars, most, from_end),
                Some(separator) => {
                    let separator = nonempty(separator)?;
                    let limit = most.saturating_add(1);
                    let mut made: Vec<String> = if from_end {
                        chars.rsplitn(limit, separator).map(str::to_owned).collect()
                    } else {
                        chars.splitn(limit, separator).map(str::to_owned).collect()
                    };
                    if from_end {
                        made.reverse();
                    }
                    made
                }
            })
        }
        "splitlines" => {
            call.expect(0, 1)?;
            let keep = match call.get(0, "keepends") {
                Some(keep) => evaluator.truthy(keep)?,
                None => false,
            };
            let lines = if keep { split_keeping_ends(chars) } else { split_lines(chars) };
            parts(lines.into_iter().map(str::to_owned).collect())
        }
        other => Err(TemplateError::conversion(format!("'str' object has no attribute '{other}'"))),
    }
}

fn nonempty(separator: &str) -> Result<&str> {
    if separator.is_empty() { Err(TemplateError::conversion("empty separator")) } else { Ok(separator) }
}

fn padding(chars: &str, width: i64) -> usize {
    usize::try_from(width).unwrap_or(0).saturating_sub(chars.chars().count())
}

/// The part between the second and third argument, and how many characters are before it.
fn window<'a>(chars: &'a str, call: &Call) -> Result<(usize, &'a str)> {
    let length = i64::try_from(chars.chars().count()).unwrap_or(i64::MAX);
    let clamp = |bound: i64| usize::try_from(if bound < 0 { (bound + length).max(0) } else { bound.min(length) }).unwrap_or(0);
    let start = clamp(call.int(1, "start")?.unwrap_or(0));
    let end = clamp(call.int(2, "end")?.unwrap_or(length)).max(start);
    let byte = |count: usize| chars.char_indices().nth(count).map_or(chars.len(), |(index, _)| index);
    Ok((start, &chars[byte(start)..byte(end)]))
}

fn join(evaluator: &Evaluator, separator: &Text, items: &Val) -> Result<Val> {
    let mut out = String::new();
    let mut secret = separator.is_secret();
    for (index, item) in evaluator.items(items)?.iter().enumerate() {
        if index > 0 {
            out.push_str(separator.as_str());
        }
        match item {
            Val::Undefined(undefined) => return Err(undefined.error()),
            Val::Plain(Value::Text(text)) => {
                evaluator.charge_growth(out.len(), text.as_str().len() + separator.as_str().len())?;
                secret |= text.is_secret();
                if separator.is_markup() {
                    out.push_str(&escaped(text));
                } else {
                    out.push_str(text.as_str());
                }
            }
            other => {
                let message = format!("sequence item {index}: expected str instance, {} found", other.type_name());
                return Err(TemplateError::conversion(message));
            }
        }
    }
    let text = evaluator.alike(separator, out);
    Ok(Val::from(if secret { text.into_secret() } else { text }))
}

fn swap_case(char: char) -> String {
    if char.is_uppercase() { char.to_lowercase().collect() } else { char.to_uppercase().collect() }
}

fn is_kind(chars: &str, name: &str) -> bool {
    let all = |is: &dyn Fn(char) -> bool| !chars.is_empty() && chars.chars().all(is);
    let cased = |upper: bool| {
        let (mut any, mut right) = (false, true);
        for char in chars.chars() {
            any |= char.is_uppercase() || char.is_lowercase();
            right &= if upper { !char.is_lowercase() } else { !char.is_uppercase() };
        }
        any && right
    };
    match name {
        "isalnum" => all(&char::is_alphanumeric),
        "isalpha" => all(&char::is_alphabetic),
        "isascii" => chars.is_ascii(),
        "isdecimal" => all(&is_decimal),
        "isdigit" => all(&|char| is_decimal(char) || is_raised_digit(char)),
        "isnumeric" => all(&char::is_numeric),
        "isidentifier" => {
            chars.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && chars.chars().all(|char| char.is_alphanumeric() || char == '_')
        }
        "islower" => cased(false),
        "isupper" => cased(true),
        "isprintable" => chars.chars().all(|char| !char.is_control()),
        "isspace" => all(&char::is_whitespace),
        _ => !chars.is_empty() && chars.chars().any(char::is_alphabetic) && title(chars) == chars,
    }
}

/// A digit of any script.
fn is_decimal(char: char) -> bool {
    let is_match = || compile(r"\d", Flags::default(), Anchor::Both)?.is_match(char.encode_utf8(&mut [0; 4]));
    char.is_ascii_digit() || (char.is_numeric() && is_match().unwrap_or(false))
}

/// A digit above or below the line, or in a circle.
fn is_raised_digit(char: char) -> bool {
    matches!(char, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '①'..='⑨' | '⑴'..='⑼' | '⒈'..='⒐' | '⓪' | '⓵'..='⓽' | '⓿' | '❶'..='❾' | '➀'..='➈' | '➊'..='➒')
}

fn expand_tabs(chars: &str, size: i64) -> String {
    let size = usize::try_from(size.clamp(0, 1000)).unwrap_or(8);
    let mut column = 0;
    let mut out = String::new();
    for char in chars.chars() {
        match char {
            '\t' => {
                let blanks = if size == 0 { 0 } else { size - column % size };
                out.push_str(&" ".repeat(blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(char);
                column = 0;
            }
            char => {
                out.push(char);
                column += 1;
            }
        }
    }
    out
}

fn split_blanks(chars: &str, most: usize, from_end: bool) -> Vec<String> {
    let mut made = Vec::new();
    // The blanks at the far side are dropped only when they are reached.
    let mut rest = if from_end { chars.trim_end() } else { chars.trim_start() };
    while !rest.is_empty() {
        if made.len() >= most {
            made.push(rest.to_owned());
            break;
        }
        let word = if from_end { rest.rfind(char::is_whitespace) } else { rest.find(char::is_whitespace) };
        match word {
            None => {
                made.push(rest.to_owned());
                break;
            }
            Some(at) if from_end => {
                let width = rest[at..].chars().next().map_or(1, char::len_utf8);
                made.push(rest[at + width..].to_owned());
                rest = rest[..at].trim_end();
            }
            Some(at) => {
                made.push(rest[..at].to_owned());
                rest = rest[at..].trim_start();
            }
        }
    }
    if from_end {
        made.reverse();
    }
    made
}
