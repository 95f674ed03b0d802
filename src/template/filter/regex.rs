//! Filters of regular expressions.

use super::{derived, filter, refuse};
use crate::template::python::regex::{Anchor, Flags, Pattern, RegexError, Replacement, compile, escape};
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Text;
use std::sync::Arc;

use Param::{Optional, Required, Rest, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("regex_escape", &[Optional("re_type")], regex_escape),
    filter("regex_findall", &[Required("regex"), Optional("multiline"), Optional("ignorecase")], regex_findall),
    filter("regex_replace", REPLACE, regex_replace),
    filter("regex_search", &[Required("regex"), Rest, RestNamed], regex_search),
];

const REPLACE: &[Param] = &[
    Optional("pattern"),
    Optional("replacement"),
    Optional("ignorecase"),
    Optional("multiline"),
    Optional("count"),
    Optional("mandatory_count"),
];

fn failed(error: RegexError) -> TemplateError {
    TemplateError::plugin(error.to_string())
}

fn pattern(evaluator: &Evaluator, source: &Val, ignore_case: bool, multi_line: bool) -> Result<Arc<Pattern>> {
    let source = evaluator.text(source)?;
    compile(source.as_str(), Flags { ignore_case, multi_line, ..Flags::default() }, Anchor::Anywhere).map_err(failed)
}

fn regex_replace(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.decoded(value)?;
    let empty = Val::from("");
    let source = arguments.get(0).unwrap_or(&empty);
    let pattern = pattern(evaluator, source, arguments.flag_or(evaluator, 2, false)?, arguments.flag_or(evaluator, 3, false)?)?;
    let template = evaluator.text(arguments.get(1).unwrap_or(&empty))?;
    let replacement = Replacement::parse(template.as_str(), &pattern).map_err(failed)?;
    let (replaced, count) = match usize::try_from(arguments.int_or(4, 0)?) {
        Ok(limit) => pattern.replace(text.as_str(), &replacement, limit).map_err(failed)?,
        // Fewer than none.
        Err(_) => (text.as_str().to_owned(), 0),
    };
    let limit = arguments.int_or(4, 0)?;
    let wanted = arguments.int_or(5, 0)?;
    if wanted != 0 && usize::try_from(wanted) != Ok(count) {
        // Ansible names its `count` here, not what was found.
        let shown = if text.is_secret() { "***" } else { text.as_str() };
        let source = evaluator.text(source)?;
        return refuse(format!("'{}' should match {wanted} times, but matches {limit} times in '{shown}'", source.as_str()));
    }
    evaluator.charge(replaced.len())?;
    let replaced = evaluator.derived(&text, replaced);
    Ok(Val::from(if template.is_secret() { replaced.into_secret() } else { replaced }))
}

fn named_flag(evaluator: &Evaluator, arguments: &Bound, name: &str) -> Result<bool> {
    arguments.named.iter().find(|(known, _)| &**known == name).map_or(Ok(false), |(_, val)| evaluator.truthy(val))
}

fn regex_search(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let mut groups = Vec::new();
    for argument in &arguments.rest {
        let Some(text) = argument.as_str() else {
            return refuse(format!("'{}' object has no attribute 'startswith'", argument.type_name()));
        };
        match group_name(text) {
            Some(group) => groups.push(group.to_owned()),
            None if text.starts_with('\\') => return refuse("'NoneType' object has no attribute 'group'"),
            None => return refuse("Unknown argument"),
        }
    }
    let text = evaluator.decoded(value)?;
    let ignore_case = named_flag(evaluator, arguments, "ignorecase")?;
    let pattern = pattern(evaluator, arguments.required(0), ignore_case, named_flag(evaluator, arguments, "multiline")?)?;
    let Some(found) = pattern.search(text.as_str()).map_err(failed)? else { return Ok(Val::NONE) };
    let shown = |number: usize| found.group(text.as_str(), number).map_or(Val::NONE, |chars| derived(evaluator, &text, chars));
    if groups.is_empty() {
        return Ok(shown(0));
    }
    let mut values = Vec::new();
    for group in groups {
        let number = group.parse().ok().filter(|number| *number <= pattern.group_count()).or_else(|| pattern.group_number(&group));
        match number {
            Some(number) => values.push(shown(number)),
            None => return refuse("no such group"),
        }
    }
    Ok(Val::list(values))
}

/// `\1`, `\g<name>`
fn group_name(argument: &str) -> Option<&str> {
    if let Some(rest) = argument.strip_prefix("\\g<") {
        return rest.split_once('>').map(|(name, _)| name).filter(|name| !name.is_empty());
    }
    let digits = argument.strip_prefix('\\')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    (end > 0).then(|| &digits[..end])
}

fn regex_findall(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.decoded(value)?;
    let multi_line = arguments.flag_or(evaluator, 1, false)?;
    let pattern = pattern(evaluator, arguments.required(0), arguments.flag_or(evaluator, 2, false)?, multi_line)?;
    let matches = pattern.find_all(text.as_str(), 0).map_err(failed)?;
    evaluator.charge(matches.len().saturating_mul(64))?;
    let group = |found: &crate::template::python::regex::Match, number| -> Val {
        derived(evaluator, &text, found.group(text.as_str(), number).unwrap_or_default())
    };
    let items = matches.iter().map(|found| match pattern.group_count() {
        0 => group(found, 0),
        1 => group(found, 1),
        count => Val::tuple((1..=count).map(|number| group(found, number)).collect()),
    });
    Ok(Val::list(items.collect()))
}

fn regex_escape(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text: Text = evaluator.decoded(value)?;
    let kind = arguments.text(0)?.map_or("python", Text::as_str);
    let escaped = match kind {
        "python" => escape(text.as_str()),
        "posix_basic" => {
            let mut escaped = String::new();
            for char in text.as_str().chars() {
                if matches!(char, ']' | '[' | '.' | '^' | '$' | '*' | '\\') {
                    escaped.push('\\');
                }
                escaped.push(char);
            }
            escaped
        }
        "posix_extended" => return refuse(format!("Regex type ({kind}) not yet implemented")),
        _ => return refuse(format!("Invalid regex type ({kind})")),
    };
    Ok(derived(evaluator, &text, escaped))
}
