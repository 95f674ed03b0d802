//! Values as YAML, byte for byte as `to_yaml` and `to_nice_yaml` of Ansible (PyYAML over libyaml) write them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use libyaml_safer::{Break, Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};

use super::scalar::{Plain, resolve};
use crate::value::{Key, Map, Value};

/// How collections are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowStyle {
    /// In flow style those of scalars alone.
    Auto,
    /// `[1, 2]`
    Flow,
    /// `- 1`
    Block,
}

/// The options of `yaml.dump`.
#[derive(Clone, Debug)]
pub struct EmitOptions {
    /// Blanks per level; 2 where none is said.
    pub indent: Option<i32>,
    /// Columns after which lines are broken; 80 where none is said.
    pub width: Option<i32>,
    /// How collections are written.
    pub flow: FlowStyle,
    /// How texts and other scalars are quoted: `'`, `"`, `|`, `>`; none where the emitter chooses.
    pub style: Option<char>,
    /// Whether keys are sorted.
    pub sort_keys: bool,
    /// Whether the document begins with `---`.
    pub explicit_start: bool,
    /// Whether the document ends with `...`.
    pub explicit_end: bool,
    /// Whether every node has its tag.
    pub canonical: bool,
    /// Whether a collection that is there several times (the same one, not an equal one) is written once and named after that.
    pub aliases: bool,
    /// Whether texts of several lines are written as blocks.
    pub literal_lines: bool,
    /// What ends a line: `\n`, `\r`, `\r\n`.
    pub line_break: Option<String>,
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self {
            indent: None,
            width: None,
            flow: FlowStyle::Auto,
            style: None,
            sort_keys: true,
            explicit_start: false,
            explicit_end: false,
            canonical: false,
            aliases: false,
            literal_lines: false,
            line_break: None,
        }
    }
}

/// `value` as one document.
pub fn emit(value: &Value, options: &EmitOptions) -> Result<String, String> {
    let mut output = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut output);
    emitter.set_unicode(true);
    emitter.set_canonical(options.canonical);
    if let Some(indent) = options.indent {
        emitter.set_indent(indent);
    }
    if let Some(width) = options.width {
        emitter.set_width(width);
    }
    match options.line_break.as_deref() {
        Some("\r") => emitter.set_break(Break::Cr),
        Some("\r\n") => emitter.set_break(Break::CrLn),
        _ => emitter.set_break(Break::Ln),
    }
    let mut events = vec![Event::stream_start(Encoding::Utf8)];
    events.push(Event::document_start(None, &[], !options.explicit_start));
    let mut writer = Writer { options, events: &mut events, anchors: HashMap::new(), written: HashSet::new() };
    if options.aliases {
        writer.find_shared(value, &mut 0);
    }
    writer.node(value);
    events.push(Event::document_end(!options.explicit_end));
    events.push(Event::stream_end());
    for event in events {
        emitter.emit(event).map_err(|error| error.to_string())?;
    }
    drop(emitter);
    let text = String::from_utf8(output).map_err(|error| error.to_string())?;
    Ok(unhide(&text))
}

struct Writer<'a> {
    options: &'a EmitOptions,
    events: &'a mut Vec<Event>,
    /// Collections met by address; those met twice have a name.
    anchors: HashMap<usize, Option<String>>,
    written: HashSet<usize>,
}

/// The address of a collection: which one it is.
fn identity(value: &Value) -> Option<usize> {
    match value {
        Value::List(items) => Some(Arc::as_ptr(items) as usize),
        Value::Map(map) => Some(Arc::as_ptr(map) as usize),
        _ => None,
    }
}

impl Writer<'_> {
    /// Names the collections that are there several times, in the order in which that shows.
    fn find_shared(&mut self, value: &Value, count: &mut usize) {
        let Some(address) = identity(value) else { return };
        if let Some(anchor) = self.anchors.get_mut(&address) {
            if anchor.is_none() {
                *count += 1;
                *anchor = Some(format!("id{count:03}"));
            }
            return;
        }
        self.anchors.insert(address, None);
        match value {
            Value::List(items) => items.iter().for_each(|item| self.find_shared(item, count)),
            Value::Map(map) => self.ordered(map).into_iter().for_each(|(_, value)| self.find_shared(value, count)),
            _ => {}
        }
    }

    fn node(&mut self, value: &Value) {
        let address = identity(value);
        let anchor = address.and_then(|address| self.anchors.get(&address).cloned().flatten());
        if let (Some(anchor), Some(address)) = (&anchor, address)
            && !self.written.insert(address)
        {
            self.events.push(Event::alias(anchor));
            return;
        }
        let anchor = anchor.as_deref();
        match value {
            Value::List(items) => {
                let flow = self.is_flow(items.iter().all(|item| self.is_plain(item)));
                let style = if flow { SequenceStyle::Flow } else { SequenceStyle::Block };
                self.events.push(Event::sequence_start(anchor, Some("tag:yaml.org,2002:seq"), true, style));
                for item in items.iter() {
                    self.node(item);
                }
                self.events.push(Event::sequence_end());
            }
            Value::Map(map) => {
                let flow = self.is_flow(map.iter().all(|(key, value)| self.is_plain(key.value()) && self.is_plain(value)));
                let style = if flow { MappingStyle::Flow } else { MappingStyle::Block };
                self.events.push(Event::mapping_start(anchor, Some("tag:yaml.org,2002:map"), true, style));
                for (key, value) in self.ordered(map) {
                    self.node(key.value());
                    self.node(value);
                }
                self.events.push(Event::mapping_end());
            }
            scalar => self.scalar(scalar),
        }
    }

    fn is_flow(&self, all_plain: bool) -> bool {
        match self.options.flow {
            FlowStyle::Auto => all_plain,
            FlowStyle::Flow => true,
            FlowStyle::Block => false,
        }
    }

    /// Whether a collection may be written in flow style around it.
    fn is_plain(&self, value: &Value) -> bool {
        !matches!(value, Value::Bytes(_) | Value::List(_) | Value::Map(_)) && self.options.style.is_none()
    }

    /// Sorted as Python sorts; as they are where it cannot.
    fn ordered<'m>(&self, map: &'m Map) -> Vec<(&'m Key, &'m Value)> {
        let mut entries: Vec<_> = map.iter().collect();
        let sortable = entries.windows(2).all(|pair| pair[0].0.value().compare(pair[1].0.value()).is_some());
        if self.options.sort_keys && sortable {
            entries.sort_by(|left, right| left.0.value().compare(right.0.value()).unwrap_or(std::cmp::Ordering::Equal));
        }
        entries
    }

    fn binary(&mut self, bytes: &[u8]) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
        let mut lines = String::new();
        for (index, char) in encoded.chars().enumerate() {
            lines.push(char);
            if (index + 1) % BASE64_LINE == 0 {
                lines.push('\n');
            }
        }
        if !lines.is_empty() && !lines.ends_with('\n') {
            lines.push('\n');
        }
        let style = self.options.style.map_or(ScalarStyle::Literal, |_| ScalarStyle::Any);
        self.events.push(Event::scalar(None, Some("tag:yaml.org,2002:binary"), &lines, false, false, style));
    }

    fn scalar(&mut self, value: &Value) {
        if let Value::Text(sealed) = value
            && sealed.is_sealed()
        {
            self.events.push(Event::scalar(None, Some("!vault"), sealed.as_str(), false, false, ScalarStyle::Literal));
            return;
        }
        if let Value::Bytes(bytes) = value {
            self.binary(bytes.as_slice());
            return;
        }
        let (tag, text) = match value {
            Value::Null => ("null", "null".to_owned()),
            Value::Bool(value) => ("bool", value.to_string()),
            Value::Int(number) => ("int", number.to_string()),
            Value::BigInt(number) => ("int", number.to_string()),
            Value::Float(number) => ("float", float(*number)),
            Value::Date(date) => ("timestamp", date.to_string()),
            Value::DateTime(moment, offset) => ("timestamp", datetime(moment, *offset)),
            Value::Text(text) => ("str", text.as_str().to_owned()),
            Value::Bytes(_) | Value::List(_) | Value::Map(_) => return,
        };
        let plain_implicit = if tag == "str" { matches!(resolve(&text), Ok(Plain::Text)) } else { true };
        let hidden = hide(&text);
        let style = match self.options.style {
            _ if hidden.len() != text.len() => ScalarStyle::DoubleQuoted,
            Some('\'') => ScalarStyle::SingleQuoted,
            Some('"') => ScalarStyle::DoubleQuoted,
            Some('|') => ScalarStyle::Literal,
            Some('>') => ScalarStyle::Folded,
            None if self.options.literal_lines && tag == "str" && text.contains('\n') => ScalarStyle::Literal,
            _ => ScalarStyle::Any,
        };
        let tag = format!("tag:yaml.org,2002:{tag}");
        self.events.push(Event::scalar(None, Some(&tag), &hidden, plain_implicit, tag.ends_with(":str"), style));
    }
}

/// Base64 is written in lines of 76 characters, a block in itself.
const BASE64_LINE: usize = 76;

fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = crate::value::float_repr(number);
    // Without a dot it would be read back as a text.
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

fn datetime(moment: &jiff::civil::DateTime, offset: Option<i32>) -> String {
    let micros = moment.subsec_nanosecond() / 1000;
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    let zone = offset.map_or_else(String::new, |seconds| {
        let sign = if seconds < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
    });
    format!("{} {:02}:{:02}:{:02}{fraction}{zone}", moment.date(), moment.hour(), moment.minute(), moment.second())
}

/// Begins and ends a hidden character: a noncharacter would be escaped, a private one is written as it is.
const MARK: char = '\u{e7f3}';

/// libyaml writes a character beyond U+FFFF as `\U0001F600`; the emitter here would write it raw. Ten printable characters stand for it,
/// so that lines break where libyaml breaks them.
fn hide(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    for char in text.chars() {
        if u32::from(char) > 0xffff {
            hidden.push(MARK);
            hidden.push_str(&format!("{:08X}", u32::from(char)));
            hidden.push(MARK);
        } else {
            hidden.push(char);
        }
    }
    hidden
}

fn unhide(text: &str) -> String {
    let mut pieces = text.split(MARK);
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for (index, piece) in pieces.enumerate() {
        if index % 2 == 0 {
            shown.push_str("\\U");
        }
        shown.push_str(piece);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nice() -> EmitOptions {
        EmitOptions { indent: Some(4), flow: FlowStyle::Block, ..EmitOptions::default() }
    }

    fn map(entries: Vec<(&str, Value)>) -> Value {
        Value::map(entries.into_iter().map(|(key, value)| (Key::from(key), value)).collect())
    }

    #[test]
    fn documents_are_libyaml_s() {
        let nested = map(vec![("b", Value::Int(1)), ("a", Value::list(vec![Value::Int(1), map(vec![("c", Value::Null)])]))]);
        assert_eq!(emit(&nested, &EmitOptions::default()).unwrap(), "a:\n- 1\n- {c: null}\nb: 1\n");
        assert_eq!(emit(&nested, &nice()).unwrap(), "a:\n- 1\n-   c: null\nb: 1\n");
        assert_eq!(emit(&Value::from("x"), &EmitOptions::default()).unwrap(), "x\n");
        assert_eq!(emit(&Value::Float(1e20), &EmitOptions::default()).unwrap(), "1.0e+20\n");
        assert_eq!(emit(&map(vec![("a", Value::from("é😀☃"))]), &nice()).unwrap(), "a: \"é\\U0001F600☃\"\n");
        assert_eq!(emit(&map(vec![("a", Value::from("x\ny\n"))]), &nice()).unwrap(), "a: 'x\n\n    y\n\n    '\n");
    }

    #[test]
    fn texts_are_quoted_where_they_would_be_something_else() {
        let texts = ["yes", "1", "", "null", "a: b", "1.5", "2020-01-01", "1e3", "=", "<<", "y", "é"];
        let values = Value::list(texts.into_iter().map(Value::from).collect());
        let expected = "['yes', '1', '', 'null', 'a: b', '1.5', '2020-01-01', 1e3, '=', '<<', y, é]\n";
        assert_eq!(emit(&values, &EmitOptions::default()).unwrap(), expected);
    }
}
