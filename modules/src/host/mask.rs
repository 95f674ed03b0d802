//! Secrets: wherever one shows in a result, stars show instead.

use crate::{Json, JsonMap};

/// What stands for a secret that is a whole value.
const WHOLE: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
/// What stands for a secret inside a text.
const PART: &str = "********";

/// The texts that must not show.
#[derive(Clone, Default)]
pub struct Mask {
    secrets: Vec<String>,
}

impl Mask {
    /// A mask of these texts.
    pub fn new(secrets: Vec<String>) -> Self {
        let mut mask = Self::default();
        secrets.into_iter().for_each(|secret| mask.add(secret));
        mask
    }

    /// One more text; longer ones are masked first, so that none shows half.
    pub fn add(&mut self, secret: String) {
        if secret.is_empty() || self.secrets.contains(&secret) {
            return;
        }
        self.secrets.push(secret);
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Masks a text.
    pub fn text(&self, text: &str) -> String {
        if self.secrets.iter().any(|secret| secret == text) {
            return WHOLE.to_owned();
        }
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), PART))
    }

    /// Masks everything in a result.
    pub fn map(&self, map: &mut JsonMap) {
        if self.secrets.is_empty() {
            return;
        }
        for (key, value) in map.iter_mut() {
            // What Ansible's own keys say is never a secret, however short one is.
            if !matches!(key.as_str(), "changed" | "failed" | "skipped" | "rc" | "state" | "mode") {
                self.value(value);
            }
        }
    }

    fn value(&self, value: &mut Json) {
        match value {
            Json::Null | Json::Bool(_) => {}
            Json::Number(number) => {
                if self.secrets.contains(&number.to_string()) {
                    *value = Json::from(WHOLE);
                }
            }
            Json::String(text) => {
                if self.secrets.iter().any(|secret| text.contains(secret.as_str())) {
                    *text = self.text(text);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Json::Object(map) => map.values_mut().for_each(|item| self.value(item)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_never_show() {
        let mask = Mask::new(vec!["s3".to_owned(), "s3cret".to_owned()]);
        let mut map = json!({"msg": "is s3cret!", "list": ["s3cret"], "changed": true}).as_object().cloned().unwrap();
        mask.map(&mut map);
        assert_eq!(Json::Object(map), json!({"msg": "is ********!", "list": [WHOLE], "changed": true}));
    }
}
