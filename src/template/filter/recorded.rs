//! Holds expressions against what ansible-core made of them: `recorded.jsonl`, written by `tests/record-expressions`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::template::{Context, Engine, NoNames, NoWorld, Templar};
use crate::value::{Text, to_json};

/// Every line of `records`, evaluated; panics with all that differ.
pub(in crate::template) fn check_records(records: &str) {
    let engine = Arc::new(Engine::new());
    let context = Arc::new(Context::of_playbook(PathBuf::from("/"), Arc::new(NoWorld)));
    let mut wrong = Vec::new();
    for line in records.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let expression = record["expression"].as_str().unwrap();
        let templar = Templar::new(&engine, Arc::new(NoNames), Arc::clone(&context));
        let got = match templar.expression(&Text::trusted(expression, None)) {
            Ok(value) => serde_json::json!({"expression": expression, "value": to_json(&value)}),
            // Recorded between braces, where mistakes are those of a template.
            Err(error) => serde_json::json!({"expression": expression, "error": of_template(&error.full_message())}),
        };
        if got != record {
            let shown = |json: &serde_json::Value| json.get("value").unwrap_or(&json["error"]).to_string();
            wrong.push(format!("{expression}\n    wanted {}\n    got    {}", shown(&record), shown(&got)));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn of_template(message: &str) -> String {
    message
        .replace("Syntax error in expression:", "Syntax error in template:")
        .replace("Error rendering expression:", "Error rendering template:")
}
