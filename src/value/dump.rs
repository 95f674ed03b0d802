//! JSON text as Python's `json.dumps` writes it for people: `", "` and `": "`, indents, sorted keys, characters as they are.

use std::collections::BTreeMap;

use super::json::non_finite;
use super::{Key, Value, float_repr};

/// How a dump is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One line.
    Line,
    /// One line per entry, so many blanks deeper each level.
    Indent(usize),
}

/// `value` as JSON text with sorted keys; secrets are `***`.
pub fn dump(value: &Value, layout: Layout) -> String {
    let mut out = String::new();
    write(&mut out, value, layout, 0);
    out
}

fn write(out: &mut String, value: &Value, layout: Layout, depth: usize) {
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index, layout, depth + 1);
                write(out, item, layout, depth + 1);
            }
            close(out, layout, depth);
            out.push(']');
        }
        Value::Map(map) if !map.is_empty() => {
            let name = |key: &Key| if key.value().is_null() { "None".to_owned() } else { key.to_json_key() };
            // Of two keys that are one as text, as `1` and `'1'`, the later wins.
            let entries: BTreeMap<String, &Value> = map.iter().map(|(key, value)| (name(key), value)).collect();
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                separate(out, index, layout, depth + 1);
                text(out, &key);
                out.push_str(": ");
                write(out, value, layout, depth + 1);
            }
            close(out, layout, depth);
            out.push('}');
        }
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Text(chars) if !chars.is_secret() => text(out, chars.as_str()),
        Value::Float(number) if number.is_finite() => out.push_str(&float_repr(*number)),
        Value::Float(number) => out.push_str(non_finite(*number)),
        scalar => out.push_str(&super::to_json_shown(scalar).to_string()),
    }
}

fn separate(out: &mut String, index: usize, layout: Layout, depth: usize) {
    match layout {
        Layout::Line => out.push_str(if index > 0 { ", " } else { "" }),
        Layout::Indent(width) => {
            out.push_str(if index > 0 { ",\n" } else { "\n" });
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    }
}

fn close(out: &mut String, layout: Layout, depth: usize) {
    if let Layout::Indent(width) = layout {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

fn text(out: &mut String, chars: &str) {
    out.push_str(&serde_json::Value::from(chars).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_empty_collections_stay_on_their_line() {
        let value = super::super::from_json(serde_json::from_str(r#"{"b":[1,{}],"a":"ä\n"}"#).unwrap());
        assert_eq!(dump(&value, Layout::Line), r#"{"a": "ä\n", "b": [1, {}]}"#);
        assert_eq!(dump(&value, Layout::Indent(4)), "{\n    \"a\": \"ä\\n\",\n    \"b\": [\n        1,\n        {}\n    ]\n}");
    }
}
