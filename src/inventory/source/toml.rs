//! TOML inventories: groups by name, each with `hosts`, `vars` and a list of `children`.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::{Builder, Candidate, Failure, Plugin, expand};
use crate::inventory::GroupId;
use crate::source::{Diagnostic, Source, Span};
use crate::value::{Key, Map, Text, Value};

/// `toml`
pub(super) struct Toml;

impl Plugin for Toml {
    fn name(&self) -> &'static str {
        "toml"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_file() && candidate.extension() == ".toml"
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let source = candidate.source()?;
        let document = DeTable::parse(source.text()).map_err(|error| {
            let wrong = Diagnostic::error(format!("TOML file '{}' is invalid: {}", candidate.path.display(), error.message()));
            match error.span() {
                Some(range) => wrong.at(&Span::new(source, range.start, range.end)),
                None => wrong,
            }
        })?;
        let groups = document.get_ref();
        if groups.is_empty() {
            return Err("Parsed empty TOML file".to_owned().into());
        }
        let reader = Reader { source };
        if let Some((key, _)) = groups.iter().find(|(key, _)| key.get_ref() == "plugin") {
            return Err(reader.error(key, "Plugin configuration TOML file, not TOML inventory"));
        }
        groups.iter().try_for_each(|(name, group)| reader.group(name, group, builder))
    }
}

struct Reader<'s> {
    source: &'s Arc<Source>,
}

type Name<'t> = Spanned<DeString<'t>>;
type Item<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn group(&self, name: &Name<'_>, data: &Item<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let Some(sections) = data.get_ref().as_table() else {
            builder.warn(self.diagnostic(name, format!("Skipping '{}' as this is not a valid group definition", name.get_ref())));
            return Ok(());
        };
        let group = builder.group(name.get_ref());
        for (key, section) in sections.iter() {
            match key.get_ref().as_ref() {
                "vars" => {
                    for (key, value) in self.table(name, key, section)? {
                        builder.inventory.set_group_variable(group, key.get_ref(), self.value(value));
                    }
                }
                "children" => {
                    let Some(children) = section.get_ref().as_array() else { return Err(self.wrong(name, key, section, "list")) };
                    self.children(group, children, builder)?;
                }
                "hosts" => {
                    for (pattern, vars) in self.table(name, key, section)? {
                        self.hosts(group, pattern, vars, builder)?;
                    }
                }
                other => {
                    let warning = format!(
                        "Skipping unexpected key \"{other}\" in group \"{}\", only \"vars\", \"children\" and \"hosts\" are valid",
                        name.get_ref()
                    );
                    builder.warn(self.diagnostic(key, warning));
                }
            }
        }
        Ok(())
    }

    fn children(&self, group: GroupId, children: &DeArray<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        for child in children {
            let Some(name) = child.get_ref().as_str() else {
                return Err(self.error(child, "Invalid group name supplied, expected a string"));
            };
            let id = builder.group(name);
            builder.inventory.add_child(group, id).map_err(|error| self.error(child, error.to_string()))?;
        }
        Ok(())
    }

    fn hosts(&self, group: GroupId, pattern: &Name<'_>, vars: &Item<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let (names, port) = expand::expand(pattern.get_ref()).map_err(|error| self.error(pattern, error))?;
        let Some(vars) = vars.get_ref().as_table() else {
            return Err(self.error(vars, format!("Invalid data from file, expected dictionary and got:\n\n{}", self.span(vars).text())));
        };
        let vars: Vec<(String, Value)> = vars.iter().map(|(key, value)| (key.get_ref().to_string(), self.value(value))).collect();
        for name in &names {
            builder.host(name, group, port, &vars);
        }
        Ok(())
    }

    fn table<'t, 'i>(&self, group: &Name<'_>, key: &Name<'_>, item: &'t Item<'i>) -> Result<&'t DeTable<'i>, Failure> {
        item.get_ref().as_table().ok_or_else(|| self.wrong(group, key, item, "dict"))
    }

    fn wrong(&self, group: &Name<'_>, key: &Name<'_>, item: &Item<'_>, wanted: &str) -> Failure {
        let found = self.value(item);
        let found = found.type_name();
        let message = format!(
            "Invalid \"{}\" entry for \"{}\" group, requires a {wanted}, found \"{found}\" instead.",
            key.get_ref(),
            group.get_ref()
        );
        self.error(item, message)
    }

    /// Plain data; dates are texts, as they are wherever an inventory is shown.
    fn value(&self, item: &Item<'_>) -> Value {
        let text = |text: &str| Value::Text(Text::trusted(text, Some(self.span(item))));
        match item.get_ref() {
            DeValue::String(chars) => text(chars),
            DeValue::Integer(number) => {
                let parsed = num_bigint::BigInt::parse_bytes(number.as_str().as_bytes(), number.radix());
                parsed.map_or_else(|| text(number.as_str()), Value::int)
            }
            DeValue::Float(number) => number.as_str().parse().map_or_else(|_| text(number.as_str()), Value::Float),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(moment) => text(&moment.to_string().replace('Z', "+00:00")),
            DeValue::Array(items) => Value::list(items.iter().map(|item| self.value(item)).collect()),
            DeValue::Table(entries) => {
                let entry = |(key, value): (&Name<'_>, &Item<'_>)| (Key::from(&**key.get_ref()), self.value(value));
                Value::map(entries.iter().map(entry).collect::<Map>())
            }
        }
    }

    fn span<T>(&self, item: &Spanned<T>) -> Span {
        Span::new(self.source, item.span().start, item.span().end)
    }

    fn diagnostic<T>(&self, item: &Spanned<T>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.span(item))
    }

    fn error<T>(&self, item: &Spanned<T>, message: impl Into<String>) -> Failure {
        self.diagnostic(item, message).into()
    }
}
