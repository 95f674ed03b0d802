//! `str.translate` and `str.maketrans`: characters by table.

use super::super::super::{Dict, Result, TemplateError, Val};
use super::super::Evaluator;
use super::Call;
use crate::value::{Key, Value};

fn number(char: char) -> Value {
    Value::Int(i64::from(u32::from(char)))
}

/// The characters of a text after a table of code points.
pub fn translate(evaluator: &Evaluator, chars: &str, table: &Val) -> Result<String> {
    let mut out = String::new();
    for char in chars.chars() {
        let found = match table.is_mapping() {
            true => evaluator.entry(table, &number(char))?,
            false => Some(evaluator.item(table, &Val::Plain(number(char)))?).filter(|val| !val.is_undefined()),
        };
        match found {
            None => out.push(char),
            Some(val) if val.is_none() => {}
            Some(val) => match (val.as_str(), val.as_int()) {
                (Some(text), _) => {
                    evaluator.charge_growth(out.len(), text.len())?;
                    out.push_str(text);
                }
                (None, Some(point)) => match u32::try_from(point).ok().and_then(char::from_u32) {
                    Some(char) => out.push(char),
                    None => return Err(TemplateError::conversion("character mapping must be in range(0x110000)")),
                },
                (None, None) => return Err(TemplateError::conversion("character mapping must return integer, None or str")),
            },
        }
    }
    Ok(out)
}

/// The table of `str.maketrans`.
pub fn make_table(evaluator: &Evaluator, call: &Call) -> Result<Val> {
    call.expect(1, 3)?;
    let mut table = Dict::new();
    let key = |value: Value| Key::new(value).expect("a number is a key");
    let arguments = &call.arguments.positional;
    let Some(to) = arguments.get(1) else {
        // What templates pass is never the very class that Python wants here.
        return Err(TemplateError::conversion("if you give only one argument to maketrans it must be a dict"));
    };
    let (Some(from), Some(to)) = (arguments[0].as_str(), to.as_str()) else {
        let (position, wrong) = if to.as_str().is_none() { (2, to) } else { (1, &arguments[0]) };
        let wrong = wrong.type_name();
        return Err(TemplateError::conversion(match position {
            2 => format!("maketrans() argument 2 must be str, not {wrong}"),
            _ => "first maketrans argument must be a string if there is a second argument".to_owned(),
        }));
    };
    if from.chars().count() != to.chars().count() {
        return Err(TemplateError::conversion("the first two maketrans arguments must have equal length"));
    }
    for (from, to) in from.chars().zip(to.chars()) {
        table.insert(key(number(from)), Val::Plain(number(to)));
    }
    if let Some(gone) = arguments.get(2) {
        for char in evaluator.text(gone)?.as_str().chars() {
            table.insert(key(number(char)), Val::NONE);
        }
    }
    Ok(Val::dict(table))
}
