//! `'%s' % x` and `'{}'.format(x)`.

use num_bigint::BigInt;
use num_traits::{Signed as _, ToPrimitive as _};

use super::super::python::html::escaped;
use super::super::{Arguments, Result, TemplateError, Undefined, Val, python};
use super::Evaluator;
use crate::value::{Text, Value, float_repr};

/// No field may be wider.
const MAX_WIDTH: usize = 1 << 20;

/// What is to be done with one value: `[[fill]align][sign][z][#][0][width][,][.precision][type]`.
#[derive(Clone, Copy)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: Option<char>,
    /// Whether a zero that is left of a small negative number has no sign.
    plain_zero: bool,
    alternate: bool,
    /// Whether a number is filled with zeros, where no alignment is said.
    zeros: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    const PLAIN: Self = Self {
        fill: ' ',
        align: None,
        sign: None,
        plain_zero: false,
        alternate: false,
        zeros: false,
        width: 0,
        grouping: None,
        precision: None,
        kind: None,
    };
}

/// How fields name the arguments by position.
enum Numbering {
    /// None did yet.
    Open,
    /// By order: so many did.
    Automatic(usize),
    /// By number.
    Manual,
}

/// A text being made, and whether something secret is in it.
struct Made {
    out: String,
    secret: bool,
    /// Whether it is HTML, in which values are escaped.
    markup: bool,
}

impl Made {
    fn new(format: &Text) -> Self {
        Self { out: String::new(), secret: format.is_secret(), markup: format.is_markup() }
    }

    fn push(&mut self, evaluator: &Evaluator, text: &Text) -> Result<()> {
        evaluator.charge_growth(self.out.len(), text.as_str().len())?;
        self.secret |= text.is_secret();
        if self.markup {
            self.out.push_str(&escaped(text));
        } else {
            self.out.push_str(text.as_str());
        }
        Ok(())
    }

    fn finish(self, evaluator: &Evaluator) -> Result<Val> {
        evaluator.charge(self.out.len())?;
        let text = Text::from(self.out);
        let text = if self.markup { text.into_markup() } else { text };
        Ok(Val::from(if self.secret { text.into_secret() } else { text }))
    }
}

impl Evaluator {
    /// `format % values`
    pub fn percent_format(&self, format: &Val, values: &Val) -> Result<Val> {
        let Some(format) = format.as_text() else {
            return Err(TemplateError::conversion("the format is no text"));
        };
        let mut arguments = match values {
            Val::Tuple(items) => items.to_vec(),
            other => vec![other.clone()],
        }
        .into_iter();
        let mut made = Made::new(format);
        let mut used_mapping = false;
        let length = format.as_str().chars().count();
        let mut chars = format.as_str().chars().peekable();
        while let Some(char) = chars.next() {
            if char != '%' {
                made.out.push(char);
                continue;
            }
            let mut named = None;
            if chars.peek() == Some(&'(') {
                chars.next();
                let name: String = chars.by_ref().take_while(|char| *char != ')').collect();
                if !values.is_mapping() {
                    return Err(TemplateError::conversion("format requires a mapping"));
                }
                used_mapping = true;
                named = Some(match self.entry(values, &Value::text(name.as_str()))? {
                    Some(val) => val,
                    None => return Err(TemplateError::conversion(self.repr(&Val::text(name))?.as_str())),
                });
            }
            let mut spec = Spec { align: Some('>'), ..Spec::PLAIN };
            while let Some(flag) = chars.next_if(|char| "-+ #0".contains(*char)) {
                match flag {
                    '-' => spec.align = Some('<'),
                    '#' => spec.alternate = true,
                    '0' if spec.align != Some('<') => (spec.fill, spec.align) = ('0', Some('=')),
                    '0' => {}
                    sign => spec.sign = if spec.sign == Some('+') { spec.sign } else { Some(sign) },
                }
            }
            let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| -> Result<Option<usize>> {
                if chars.next_if_eq(&'*').is_some() {
                    let val = arguments.next().ok_or_else(not_enough)?;
                    let width = val.as_int().ok_or_else(|| TemplateError::conversion("* wants int"))?;
                    return width_of(width).map(Some);
                }
                let mut digits = String::new();
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                if digits.is_empty() { Ok(None) } else { width_of(digits.parse().unwrap_or(i64::MAX)).map(Some) }
            };
            spec.width = number(&mut chars)?.unwrap_or(0);
            if chars.next_if_eq(&'.').is_some() {
                spec.precision = Some(number(&mut chars)?.unwrap_or(0));
            }
            while chars.next_if(|char| "hlL".contains(*char)).is_some() {}
            let Some(kind) = chars.next() else { return Err(TemplateError::conversion("incomplete format")) };
            if kind == '%' {
                made.out.push('%');
                continue;
            }
            let val = match named {
                Some(val) => val,
                None => arguments.next().ok_or_else(not_enough)?,
            };
            let text = self.percent_value(&val, kind, spec).map_err(|error| {
                let index = length - chars.clone().count() - 1;
                error.map_message(|message| match message.starts_with("unsupported format character") {
                    true => format!("{message} at index {index}"),
                    false => message.to_owned(),
                })
            })?;
            made.push(self, &text)?;
        }
        // Python asks this of all that has items, but for tuples and texts.
        let may_be_left = match values {
            Val::Tuple(_) => used_mapping,
            Val::Range(_) => true,
            other => other.is_mapping() || other.is_list() || other.as_bytes().is_some(),
        };
        if arguments.next().is_some() && !may_be_left {
            return Err(TemplateError::conversion("not all arguments converted during string formatting"));
        }
        made.finish(self)
    }

    fn percent_value(&self, val: &Val, kind: char, mut spec: Spec) -> Result<Text> {
        if let Val::Undefined(undefined) = val {
            return Err(undefined.error());
        }
        let refuse =
            |wanted: &str| Err(TemplateError::conversion(format!("%{kind} format: {wanted} is required, not {}", val.type_name())));
        match kind {
            's' | 'r' | 'a' => {
                let text = if kind == 's' { self.text(val)? } else { self.repr(val)? };
                let text = if kind == 'a' { self.derived(&text, python::letters::ascii(text.as_str())) } else { text };
                let shown: String = text.as_str().chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
                (spec.fill, spec.align) = (' ', if spec.align == Some('<') { Some('<') } else { Some('>') });
                let padded = pad(&shown, &spec);
                Ok(if kind == 's' { self.alike(&text, padded) } else { self.derived(&text, padded) })
            }
            'd' | 'i' | 'u' => match integer_of(val) {
                Some(number) => Ok(Text::from(whole(&number, 'd', &spec))),
                None => refuse("a real number"),
            },
            'x' | 'X' | 'o' => match val {
                Val::Plain(Value::Int(_) | Value::BigInt(_) | Value::Bool(_)) => {
                    Ok(Text::from(whole(&integer_of(val).unwrap_or_default(), kind, &spec)))
                }
                _ => refuse("an integer"),
            },
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => match float_of(val) {
                Some(number) => Ok(Text::from(real(number, kind, &spec))),
                None => Err(TemplateError::conversion(format!("must be real number, not {}", val.type_name()))),
            },
            'c' => match (val.as_str(), val.as_int()) {
                (Some(chars), _) if chars.chars().count() == 1 => Ok(Text::from(pad(chars, &spec))),
                (_, Some(code)) => match u32::try_from(code).ok().and_then(char::from_u32) {
                    Some(char) => Ok(Text::from(pad(&char.to_string(), &spec))),
                    None => Err(TemplateError::conversion("%c arg not in range(0x110000)")),
                },
                _ => Err(TemplateError::conversion("%c requires int or char")),
            },
            other => Err(TemplateError::conversion(format!("unsupported format character '{other}' (0x{:x})", u32::from(other)))),
        }
    }

    /// `format.format(*positional, **named)`
    pub fn brace_format(&self, format: &Text, arguments: &Arguments) -> Result<Val> {
        let mut made = Made::new(format);
        let mut next = Numbering::Open;
        self.braces(&mut made, format.as_str(), arguments, &mut next, 0)?;
        made.finish(self)
    }

    fn braces(&self, made: &mut Made, format: &str, arguments: &Arguments, next: &mut Numbering, depth: usize) -> Result<()> {
        if depth > 2 {
            return Err(TemplateError::conversion("Max string recursion exceeded"));
        }
        let mut rest = format;
        while let Some(at) = rest.find(['{', '}']) {
            made.out.push_str(&rest[..at]);
            let mark = &rest[at..=at];
            rest = &rest[at + 1..];
            if rest.starts_with(mark) {
                made.out.push_str(mark);
                rest = &rest[1..];
                continue;
            }
            if mark == "}" {
                return Err(TemplateError::conversion("Single '}' encountered in format string"));
            }
            if rest.is_empty() {
                return Err(TemplateError::conversion("Single '{' encountered in format string"));
            }
            let end = closing(rest)?;
            self.field(made, &rest[..end], arguments, next, depth)?;
            rest = &rest[end + 1..];
        }
        made.out.push_str(rest);
        Ok(())
    }

    /// `name!conversion:spec`
    fn field(&self, made: &mut Made, field: &str, arguments: &Arguments, next: &mut Numbering, depth: usize) -> Result<()> {
        let (head, spec) = field.split_once(':').unwrap_or((field, ""));
        let (path, conversion) = match head.split_once('!') {
            Some((path, conversion)) => (path, Some(conversion)),
            None => (head, None),
        };
        let val = self.field_value(path, arguments, next)?;
        let mut nested = Made { out: String::new(), secret: false, markup: false };
        self.braces(&mut nested, spec, arguments, next, depth + 1)?;
        made.secret |= nested.secret;
        let val = match conversion {
            None => val,
            Some("s") => Val::from(self.text(&val)?),
            Some("r") => Val::from(self.repr(&val)?),
            Some("a") => {
                let text = self.repr(&val)?;
                Val::from(self.derived(&text, python::letters::ascii(text.as_str())))
            }
            Some(other) => return Err(TemplateError::conversion(format!("Unknown conversion specifier {other}"))),
        };
        let text = self.formatted(&val, &nested.out)?;
        made.push(self, &text)
    }

    fn field_value(&self, path: &str, arguments: &Arguments, next: &mut Numbering) -> Result<Val> {
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let (first, mut rest) = path.split_at(end);
        let index = match (first.parse::<usize>(), &*next) {
            (Err(_), _) if !first.is_empty() => None,
            (Ok(_), Numbering::Automatic(_)) => {
                return Err(TemplateError::conversion("cannot switch from automatic field numbering to manual field specification"));
            }
            (Ok(index), _) => {
                *next = Numbering::Manual;
                Some(index)
            }
            (Err(_), Numbering::Manual) => {
                return Err(TemplateError::conversion("cannot switch from manual field specification to automatic field numbering"));
            }
            (Err(_), Numbering::Open) => {
                *next = Numbering::Automatic(1);
                Some(0)
            }
            (Err(_), Numbering::Automatic(count)) => {
                let index = *count;
                *next = Numbering::Automatic(index + 1);
                Some(index)
            }
        };
        let mut val =
            match index {
                Some(index) => arguments.positional.get(index).cloned().ok_or_else(|| {
                    TemplateError::conversion(format!("Replacement index {index} out of range for positional args tuple"))
                })?,
                None => match arguments.named.iter().find(|(known, _)| &**known == first) {
                    Some((_, val)) => val.clone(),
                    None => return Err(TemplateError::conversion(self.repr(&Val::from(first))?.as_str())),
                },
            };
        while !rest.is_empty() {
            val = if let Some(inner) = rest.strip_prefix('[') {
                let end = inner.find(']').ok_or_else(|| TemplateError::conversion("Missing ']' in format string"))?;
                let key = &inner[..end];
                rest = &inner[end + 1..];
                self.item(&val, &key.parse::<i64>().map_or_else(|_| Val::from(key), Val::from))?
            } else {
                let inner = &rest[1..];
                let end = inner.find(['.', '[']).unwrap_or(inner.len());
                rest = &inner[end..];
                let name = &inner[..end];
                match self.python_attribute(&val, name)? {
                    Some(found) => found,
                    None => {
                        let message = format!("'{}' object has no attribute '{name}'", val.type_name());
                        return Err(TemplateError::conversion(message));
                    }
                }
            };
        }
        match val {
            Val::Undefined(undefined) => Err(Undefined::error(&undefined)),
            val => Ok(val),
        }
    }

    /// Python's `format(val, spec)`.
    fn formatted(&self, val: &Val, spec: &str) -> Result<Text> {
        if spec.is_empty() {
            return self.text(val);
        }
        if let Val::Plain(Value::DateTime(moment, offset)) = val {
            return Ok(Text::from(python::time::strftime_datetime(spec, *moment, *offset)));
        }
        let mut parsed = parse_spec(spec)?;
        let unknown = || {
            let kind = parsed.kind.unwrap_or(' ');
            TemplateError::conversion(format!("Unknown format code '{kind}' for object of type '{}'", val.type_name()))
        };
        match val {
            Val::Plain(Value::Int(_) | Value::BigInt(_) | Value::Bool(_)) => {
                let number = integer_of(val).unwrap_or_default();
                if let Some(separator) = parsed.grouping
                    && let Some(kind @ ('c' | 'n' | 'b' | 'o' | 'x' | 'X')) = parsed.kind
                    && (separator == ',' || matches!(kind, 'c' | 'n'))
                {
                    return Err(TemplateError::conversion(format!("Cannot specify '{separator}' with '{kind}'.")));
                }
                if parsed.precision.is_some() && !matches!(parsed.kind, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) {
                    return Err(TemplateError::conversion("Precision not allowed in integer format specifier"));
                }
                match parsed.kind {
                    None | Some('d' | 'n' | 'x' | 'X' | 'o' | 'b') => Ok(Text::from(whole(&number, parsed.kind.unwrap_or('d'), &parsed))),
                    Some('c') => match number.to_u32().and_then(char::from_u32) {
                        Some(char) => Ok(Text::from(pad(&char.to_string(), &parsed))),
                        None => Err(TemplateError::conversion("%c arg not in range(0x110000)")),
                    },
                    Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => {
                        Ok(Text::from(real(number.to_f64().unwrap_or(f64::INFINITY), kind, &parsed)))
                    }
                    Some(_) => Err(unknown()),
                }
            }
            Val::Plain(Value::Float(number)) => match parsed.kind {
                Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' | 'n') => Ok(Text::from(real(*number, parsed.kind.unwrap_or('g'), &parsed))),
                None => {
                    let shown = match parsed.precision {
                        None => float_repr(*number),
                        Some(precision) => python::number::general(*number, precision.max(1), false),
                    };
                    Ok(Text::from(signed(&separated(shown, &parsed), "", &parsed)))
                }
                Some(_) => Err(unknown()),
            },
            Val::Plain(Value::Text(text)) => {
                if !matches!(parsed.kind, None | Some('s')) {
                    return Err(unknown());
                }
                if let Some(separator) = parsed.grouping {
                    return Err(TemplateError::conversion(format!("Cannot specify '{separator}' with 's'.")));
                }
                if parsed.align == Some('=') && !parsed.zeros {
                    return Err(TemplateError::conversion("'=' alignment not allowed in string format specifier"));
                }
                parsed.align = parsed.align.filter(|_| !parsed.zeros);
                let shown: String = text.as_str().chars().take(parsed.precision.unwrap_or(usize::MAX)).collect();
                parsed.align = parsed.align.or(Some('<'));
                Ok(self.derived(text, pad(&shown, &parsed)))
            }
            other => Err(TemplateError::conversion(format!("unsupported format string passed to {}.__format__", other.type_name()))),
        }
    }
}

fn not_enough() -> TemplateError {
    TemplateError::conversion("not enough arguments for format string")
}

fn width_of(width: i64) -> Result<usize> {
    usize::try_from(width.unsigned_abs())
        .ok()
        .filter(|width| *width <= MAX_WIDTH)
        .ok_or_else(|| TemplateError::new(super::super::ErrorKind::Limit, "the width is too large"))
}

/// Where the field that begins here ends; fields in its specification are skipped.
fn closing(rest: &str) -> Result<usize> {
    let mut open = 0_usize;
    for (at, char) in rest.char_indices() {
        match char {
            '{' => open += 1,
            '}' if open == 0 => return Ok(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    Err(TemplateError::conversion("expected '}' before end of string"))
}

fn parse_spec(text: &str) -> Result<Spec> {
    let mut spec = Spec::PLAIN;
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is_align = |char: Option<&char>| char.is_some_and(|char| "<>=^".contains(*char));
    if is_align(chars.get(1)) {
        (spec.fill, spec.align) = (chars[0], Some(chars[1]));
        at = 2;
    } else if is_align(chars.first()) {
        spec.align = Some(chars[0]);
        at = 1;
    }
    if let Some(sign) = chars.get(at).filter(|char| "+- ".contains(**char)) {
        spec.sign = Some(*sign);
        at += 1;
    }
    if chars.get(at) == Some(&'z') {
        spec.plain_zero = true;
        at += 1;
    }
    if chars.get(at) == Some(&'#') {
        spec.alternate = true;
        at += 1;
    }
    if chars.get(at) == Some(&'0') {
        if spec.align.is_none() {
            (spec.fill, spec.align, spec.zeros) = ('0', Some('='), true);
        }
        at += 1;
    }
    let number = |at: &mut usize| -> Result<Option<usize>> {
        let digits: String = chars[*at..].iter().take_while(|char| char.is_ascii_digit()).collect();
        *at += digits.len();
        if digits.is_empty() { Ok(None) } else { width_of(digits.parse().unwrap_or(i64::MAX)).map(Some) }
    };
    spec.width = number(&mut at)?.unwrap_or(0);
    if let Some(grouping) = chars.get(at).filter(|char| ",_".contains(**char)) {
        spec.grouping = Some(*grouping);
        at += 1;
    }
    if chars.get(at) == Some(&'.') {
        at += 1;
        spec.precision = Some(number(&mut at)?.ok_or_else(|| TemplateError::conversion("Format specifier missing precision"))?);
    }
    spec.kind = chars.get(at).copied();
    if chars.len() > at + 1 {
        return Err(TemplateError::conversion(format!("Invalid format specifier '{text}'")));
    }
    Ok(spec)
}

fn integer_of(val: &Val) -> Option<BigInt> {
    match val {
        Val::Plain(value @ (Value::Int(_) | Value::BigInt(_) | Value::Bool(_) | Value::Float(_))) => python::number::to_int(value),
        _ => None,
    }
}

fn float_of(val: &Val) -> Option<f64> {
    match val {
        Val::Plain(value @ (Value::Int(_) | Value::BigInt(_) | Value::Bool(_) | Value::Float(_))) => python::number::to_float(value),
        _ => None,
    }
}

fn whole(number: &BigInt, kind: char, spec: &Spec) -> String {
    let magnitude = number.abs();
    let (radix, prefix, group) = match kind {
        'x' => (16, "0x", 4),
        'X' => (16, "0X", 4),
        'o' => (8, "0o", 4),
        'b' => (2, "0b", 4),
        _ => (10, "", 3),
    };
    let mut digits = magnitude.to_str_radix(radix);
    if kind == 'X' {
        digits.make_ascii_uppercase();
    }
    if let Some(precision) = spec.precision {
        digits = format!("{digits:0>precision$}");
    }
    if let Some(separator) = spec.grouping {
        digits = grouped(&digits, separator, group);
    }
    let sign = if number.is_negative() { "-" } else { "" };
    let prefix = if spec.alternate { prefix } else { "" };
    signed(&format!("{sign}{digits}"), prefix, spec)
}

fn real(number: f64, kind: char, spec: &Spec) -> String {
    let precision = spec.precision.unwrap_or(6);
    let shown = if number.is_finite() {
        match kind {
            'e' | 'E' => python::number::exponential(number, precision),
            'g' | 'G' | 'n' => python::number::general(number, precision, spec.alternate),
            '%' => python::number::fixed(number * 100.0, precision),
            _ => python::number::fixed(number, precision),
        }
    } else {
        float_repr(number)
    };
    let is_zero = || !shown.contains(|char: char| ('1'..='9').contains(&char));
    let mut shown = match shown.strip_prefix('-') {
        Some(zero) if spec.plain_zero && number.is_finite() && is_zero() => zero.to_owned(),
        _ => shown,
    };
    if spec.alternate && number.is_finite() && !shown.contains('.') {
        let digits = shown.find('e').unwrap_or(shown.len());
        shown.insert(digits, '.');
    }
    if kind == '%' {
        shown.push('%');
    }
    let shown = if kind.is_ascii_uppercase() { shown.to_uppercase() } else { shown };
    signed(&separated(shown, spec), "", spec)
}

/// The digits before the point in groups, where that is wanted.
fn separated(shown: String, spec: &Spec) -> String {
    match (spec.grouping, shown.find(['.', 'e', 'E', '%'])) {
        (None, _) => shown,
        (Some(separator), at) => {
            let (whole, rest) = shown.split_at(at.unwrap_or(shown.len()));
            let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
            format!("{sign}{}{rest}", grouped(digits, separator, 3))
        }
    }
}

fn grouped(digits: &str, separator: char, size: usize) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// A number with the sign that is wanted and then `prefix`, padded; numbers stand to the right.
fn signed(shown: &str, prefix: &str, spec: &Spec) -> String {
    let (sign, digits) = match (shown.strip_prefix('-'), spec.sign) {
        (Some(digits), _) => ("-", digits),
        (None, Some('+')) => ("+", shown),
        (None, Some(' ')) => (" ", shown),
        (None, _) => ("", shown),
    };
    let spec = Spec { align: Some(spec.align.unwrap_or('>')), ..*spec };
    if spec.align == Some('=') {
        let rest = Spec { align: Some('>'), width: spec.width.saturating_sub(sign.len() + prefix.len()), ..spec };
        return format!("{sign}{prefix}{}", pad(digits, &rest));
    }
    pad(&format!("{sign}{prefix}{digits}"), &spec)
}

fn pad(shown: &str, spec: &Spec) -> String {
    let missing = spec.width.saturating_sub(shown.chars().count());
    let fill = |count: usize| spec.fill.to_string().repeat(count);
    match spec.align {
        Some('<') | None => format!("{shown}{}", fill(missing)),
        Some('^') => format!("{}{shown}{}", fill(missing / 2), fill(missing - missing / 2)),
        Some(_) => format!("{}{shown}", fill(missing)),
    }
}
