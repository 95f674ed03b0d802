//! The lookup `sequence`: numbers in a format.

use super::{given, refuse, split_term};
use crate::template::python::number::parse_int;
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::{Evaluator, Lookup, Options, Result, TemplateError, Val};
use crate::value::{Text, Value};

pub(super) const LOOKUPS: &[Lookup] =
    &[Lookup { name: "sequence", options: &["count", "end", "format", "start", "stride"], run: sequence }];

struct Sequence {
    start: i64,
    count: Option<i64>,
    end: Option<i64>,
    stride: i64,
    format: Text,
}

fn sequence(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut all = Vec::new();
    if terms.is_empty() {
        numbers(evaluator, &of_options(evaluator, options)?, &mut all)?;
    }
    for term in terms {
        let Some(text) = term.as_text() else {
            let (shown, kind) = (evaluator.repr(term)?, term.type_name());
            return refuse(format!(
                "unknown error parsing with_sequence arguments: {}. Error was: expected string or bytes-like object, got '{kind}'",
                shown.as_str()
            ));
        };
        let sequence = match short_form(text.as_str())? {
            Some(sequence) => sequence,
            None => {
                let (raw, options) = split_term(evaluator, term, options)?;
                if !raw.is_empty() {
                    return refuse("unrecognized arguments to with_sequence: ['_raw_params']");
                }
                of_options(evaluator, &options)?
            }
        };
        numbers(evaluator, &sequence, &mut all)?;
    }
    Ok(all)
}

/// `[start-]end[/stride][:format]`
fn short_form(text: &str) -> Result<Option<Sequence>> {
    let source = r"^((0x)?[0-9a-f]+)(?:-((0x)?[0-9a-f]+))?(?:/((0x)?[0-9a-f]+))?(?::(.+))?$";
    let pattern = compile(source, Flags { ignore_case: true, ..Flags::default() }, Anchor::Both)
        .map_err(|error| TemplateError::plugin(error.to_string()))?;
    let Some(found) = pattern.search(text).map_err(|error| TemplateError::plugin(error.to_string()))? else { return Ok(None) };
    let number = |name: &str, group: usize| found.group(text, group).map(|digits| integer(name, digits)).transpose();
    let end = number("end", 3)?;
    let first = number(if end.is_some() { "start" } else { "end" }, 1)?.unwrap_or(1);
    let (start, end) = end.map_or((1, first), |end| (first, end));
    let stride = number("stride", 5)?;
    let format = Text::from(found.group(text, 7).unwrap_or("%d"));
    Ok(Some(Sequence { start, count: None, end: Some(end), stride: stride.unwrap_or(1), format }))
}

fn integer(name: &str, digits: &str) -> Result<i64> {
    match parse_int(digits, 10).and_then(|number| i64::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => refuse(invalid(name, &format!("'{digits}'"))),
    }
}

fn invalid(name: &str, shown: &str) -> String {
    format!(
        "Config '{name}' for 'sequence' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {shown}"
    )
}

fn of_options(evaluator: &Evaluator, options: &Options) -> Result<Sequence> {
    let number = |name: &str| match given(options, name) {
        None => Ok(None),
        Some(Val::Plain(Value::Text(text))) => match parse_int(text.as_str(), 10).and_then(|number| i64::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => refuse(invalid(name, &format!("'{}'", text.as_str()))),
        },
        Some(val) => match val.as_int() {
            Some(number) => Ok(Some(number)),
            None => refuse(invalid(name, evaluator.repr(val)?.as_str())),
        },
    };
    Ok(Sequence {
        start: number("start")?.unwrap_or(1),
        count: number("count")?,
        end: number("end")?,
        stride: number("stride")?.unwrap_or(1),
        format: given(options, "format").map_or_else(|| Ok(Text::from("%d")), |format| evaluator.text(format))?,
    })
}

fn numbers(evaluator: &Evaluator, sequence: &Sequence, all: &mut Vec<Val>) -> Result<()> {
    let Sequence { start, count, end, stride, format } = sequence;
    let (start, stride) = (*start, *stride);
    let end = match (count, end) {
        (None, None) => return refuse("must specify count or end in with_sequence"),
        (Some(_), Some(_)) => return refuse("can't specify both count and end in with_sequence"),
        (Some(0), None) => return Ok(()),
        (Some(count), None) => start.saturating_add(count.saturating_mul(stride)).saturating_sub(1),
        (None, Some(end)) => *end,
    };
    if stride > 0 && end < start {
        return refuse("to count backwards make stride negative");
    }
    if stride < 0 && end > start {
        return refuse("to count forward don't make stride negative");
    }
    if format.as_str().matches('%').count() != 1 {
        return refuse(format!("bad formatting string: {}", format.as_str()));
    }
    if stride == 0 {
        return Ok(());
    }
    let range = crate::template::Range { start, stop: end.saturating_add(stride.signum()), step: stride };
    evaluator.charge(range.len().saturating_mul(64))?;
    let format_val = Val::from(format.clone());
    for index in 0..range.len() {
        let Some(number) = range.get(index) else { break };
        match evaluator.percent_format(&format_val, &Val::from(number)) {
            Ok(text) => all.push(text),
            Err(_) => return refuse(format!("problem formatting {number} with {}", evaluator.repr(&format_val)?.as_str())),
        }
    }
    Ok(())
}
