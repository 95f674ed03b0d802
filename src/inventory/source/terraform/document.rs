//! What Terraform and OpenTofu write, as a list of resources: a state (`terraform.tfstate`, version 4), or what `terraform show -json`
//! prints of a state or a plan. Values are data, never templates; what is marked as sensitive is secret.

use crate::template::python::json::loads;
use crate::value::{Map, Text, Value};

/// One instance of a resource.
#[derive(Debug)]
pub(super) struct Resource {
    /// `module.app[0].aws_instance.web["a"]`
    pub address: String,
    /// The modules that it is in, outermost first, without indices.
    pub modules: Vec<String>,
    /// `aws_instance`
    pub kind: String,
    /// `web`
    pub name: String,
    /// `0` or `a`, where there are several.
    pub index: Option<String>,
    pub values: Map,
}

/// What a text turned out to be.
#[derive(Debug)]
pub(super) struct Document {
    pub resources: Vec<Resource>,
    /// It tells what will be: what is known after the apply is missing.
    pub is_plan: bool,
}

/// Whether a text looks like one of these documents, without reading all of it.
pub(super) fn is_likely(text: &str) -> bool {
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    let has = |key: &str| begin.contains(key);
    begin.starts_with('{')
        && (has("\"terraform_version\"") && (has("\"format_version\"") || has("\"lineage\"") || has("\"serial\""))
            || has("\"encrypted_data\"") && has("\"lineage\""))
}

impl Document {
    /// Reads a document; the error says what it is instead.
    pub fn read(text: &str) -> Result<Self, String> {
        let value = loads(text.trim_start_matches('\u{feff}')).map_err(|error| format!("it is no JSON: {error}"))?;
        let top = value.as_map().ok_or("expected a JSON object at the top")?;
        if top.contains("encrypted_data") {
            return Err("the state is encrypted: write it with `tofu show -json` and use that".to_owned());
        }
        if let Some(values) = top.get("planned_values") {
            return Ok(Self { resources: of_values(values)?, is_plan: true });
        }
        if top.contains("format_version") {
            // `show -json` of an empty state has no `values`.
            let resources = top.get("values").map(of_values).transpose()?.unwrap_or_default();
            return Ok(Self { resources, is_plan: false });
        }
        match top.get("version").and_then(Value::as_int) {
            Some(4) => Ok(Self { resources: of_state(top)?, is_plan: false }),
            Some(version) => Err(format!("the state has version {version}, expected 4: any command of a newer Terraform upgrades it")),
            None => Err("it is neither a state nor what `terraform show -json` prints".to_owned()),
        }
    }
}

/// The resources of a state file.
fn of_state(top: &Map) -> Result<Vec<Resource>, String> {
    let mut found = Vec::new();
    for resource in list(top.get("resources"), "resources")? {
        if resource.get("mode").and_then(Value::as_str) != Some("managed") {
            continue;
        }
        let (kind, name) = (text(resource, "type")?, text(resource, "name")?);
        let module = resource.get("module").and_then(Value::as_str).unwrap_or_default();
        for instance in list(resource.get("instances"), "instances")? {
            // What is to be destroyed soon is nothing to configure.
            if instance.get("deposed").is_some() {
                continue;
            }
            let mut values = instance.get("attributes").and_then(Value::as_map).cloned().unwrap_or_default();
            for path in instance.get("sensitive_attributes").and_then(Value::as_list).unwrap_or_default() {
                let steps = path.as_list().unwrap_or_default();
                if let Some(attribute) = steps.first().and_then(|step| step.get("value")).and_then(Value::as_str)
                    && let Some(value) = values.get(attribute)
                {
                    let secret = secret(value);
                    values.insert(attribute, secret);
                }
            }
            let index = instance.get("index_key").filter(|index| !index.is_null());
            let own = format!("{kind}.{name}{}", index.map_or_else(String::new, bracketed));
            found.push(Resource {
                address: if module.is_empty() { own } else { format!("{module}.{own}") },
                modules: modules(module),
                kind: kind.to_owned(),
                name: name.to_owned(),
                index: index.map(plain),
                values,
            });
        }
    }
    Ok(found)
}

/// The resources of `values` or `planned_values`.
fn of_values(values: &Value) -> Result<Vec<Resource>, String> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = values.get("root_module").into_iter().collect();
    while let Some(module) = open.pop() {
        let path = module.get("address").and_then(Value::as_str).unwrap_or_default();
        for resource in list(module.get("resources"), "resources")? {
            if resource.get("mode").and_then(Value::as_str) != Some("managed") || resource.get("deposed_key").is_some() {
                continue;
            }
            let (kind, name) = (text(resource, "type")?, text(resource, "name")?);
            let values = resource.get("values").cloned().unwrap_or_default();
            let values = match resource.get("sensitive_values") {
                Some(mask) => masked(&values, mask),
                None => values,
            };
            found.push(Resource {
                address: text(resource, "address")?.to_owned(),
                modules: modules(path),
                kind: kind.to_owned(),
                name: name.to_owned(),
                index: resource.get("index").filter(|index| !index.is_null()).map(plain),
                values: values.as_map().cloned().unwrap_or_default(),
            });
        }
        open.extend(list(module.get("child_modules"), "child_modules")?.iter().rev());
    }
    Ok(found)
}

/// A value whose parts are secret where `mask` is true.
fn masked(value: &Value, mask: &Value) -> Value {
    match (value, mask) {
        (_, Value::Bool(true)) => secret(value),
        (Value::Map(map), Value::Map(masks)) => {
            let part = |key: &crate::value::Key, value: &Value| {
                masks.get_key(key.value()).map_or_else(|| value.clone(), |mask| masked(value, mask))
            };
            Value::map(map.iter().map(|(key, value)| (key.clone(), part(key, value))).collect())
        }
        (Value::List(items), Value::List(masks)) => {
            let part = |(at, item): (usize, &Value)| masks.get(at).map_or_else(|| item.clone(), |mask| masked(item, mask));
            Value::list(items.iter().enumerate().map(part).collect())
        }
        _ => value.clone(),
    }
}

fn secret(value: &Value) -> Value {
    value.map_texts(&|text: &Text| text.clone().into_secret())
}

fn list<'v>(value: Option<&'v Value>, name: &str) -> Result<&'v [Value], String> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(value) => value.as_list().ok_or_else(|| format!("`{name}` is a {}, expected a list", value.type_name())),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| format!("a resource has no `{name}`"))
}

fn plain(index: &Value) -> String {
    index.as_str().map_or_else(|| crate::value::to_json(index).to_string(), str::to_owned)
}

fn bracketed(index: &Value) -> String {
    format!("[{}]", crate::value::to_json(index))
}

/// `module.app["a.b"].module.db` is `app`, `db`.
fn modules(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some(after) = rest.strip_prefix("module.") {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        names.push(after[..end].to_owned());
        rest = &after[end..];
        if let Some(index) = rest.strip_prefix('[') {
            rest = after_index(index);
        }
        rest = rest.strip_prefix('.').unwrap_or("");
    }
    names
}

/// What follows an index, whose text may hold any character between its quotes.
fn after_index(text: &str) -> &str {
    let (mut in_quotes, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            ']' if !in_quotes => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Document::read(text) {
            Ok(document) => {
                let line = |found: &Resource| format!("{} {:?} {:?}", found.address, found.modules, found.values);
                document.resources.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Err(error) => error,
        }
    }

    #[test]
    fn states_and_shown_states_are_read_alike() {
        let state = r#"{"version":4,"terraform_version":"1.9","serial":1,"lineage":"x","resources":[
            {"mode":"data","type":"d","name":"d","instances":[{"attributes":{}}]},
            {"module":"module.app[\"a.]b\"].module.db","mode":"managed","type":"t","name":"n","instances":[
                {"index_key":"k","attributes":{"p":"secret","q":1},"sensitive_attributes":[[{"type":"get_attr","value":"p"}]]},
                {"deposed":"x","attributes":{}}]}]}"#;
        assert!(is_likely(state));
        assert_eq!(shown(state), r#"module.app["a.]b"].module.db.t.n["k"] ["app", "db"] {"p": "***", "q": 1}"#);
        let show = r#"{"format_version":"1.0","terraform_version":"1.9","values":{"root_module":{"child_modules":[
            {"address":"module.app","child_modules":[{"address":"module.app.module.db","resources":[
                {"address":"module.app.module.db.t.n[0]","mode":"managed","type":"t","name":"n","index":0,"values":{"p":["x"],"q":1},"sensitive_values":{"p":[true]}}]}]}]}}}"#;
        assert_eq!(shown(show), r#"module.app.module.db.t.n[0] ["app", "db"] {"p": ["***"], "q": 1}"#);
    }

    #[test]
    fn other_documents_are_named() {
        assert_eq!(shown(r#"{"version":3}"#), "the state has version 3, expected 4: any command of a newer Terraform upgrades it");
        assert_eq!(shown(r#"{"encrypted_data":"","lineage":"x"}"#), "the state is encrypted: write it with `tofu show -json` and use that");
        assert_eq!(shown("{}"), "it is neither a state nor what `terraform show -json` prints");
        assert_eq!(shown("[]"), "expected a JSON object at the top");
        assert_eq!(shown("{"), "it is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)");
        assert_eq!(shown(r#"{"version":4,"resources":{}}"#), "`resources` is a dict, expected a list");
        assert_eq!(shown(r#"{"version":4,"resources":[{"mode":"managed"}]}"#), "a resource has no `type`");
        assert_eq!(shown(r#"{"format_version":"1.0"}"#), "");
    }
}
