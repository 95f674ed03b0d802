//! Variables where no host is met yet: names of plays and of imported files, serial, hosts.

use std::sync::Arc;

use crate::source::Diagnostic;
use crate::template::{Context, Engine, Rendered, Scope, Templar, TemplateError, Variable};
use crate::value::{Map, Value};

/// Maps, the weakest first.
pub struct StaticScope {
    layers: Vec<Arc<Map>>,
}

impl StaticScope {
    /// A scope of these maps, the weakest first.
    pub fn new(layers: Vec<Arc<Map>>) -> Self {
        Self { layers }
    }
}

impl Scope for StaticScope {
    fn get(&self, name: &str) -> Option<Variable> {
        self.layers.iter().rev().find_map(|map| map.get(name)).cloned().map(Variable::Value)
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.layers.iter().flat_map(|map| map.keys()).filter_map(|key| key.as_str().map(Arc::from)).collect()
    }
}

/// Renders a value with these variables alone.
pub fn render(engine: &Arc<Engine>, context: &Arc<Context>, value: &Value, layers: Vec<Arc<Map>>) -> Result<Value, TemplateError> {
    let templar = Templar::new(engine, Arc::new(StaticScope::new(layers)), Arc::clone(context));
    Ok(match templar.render(value)? {
        Rendered::Value(value) => value,
        Rendered::Omit => Value::Null,
    })
}

/// The same, for the playbook's loader.
pub fn render_for_loader(
    engine: &Arc<Engine>,
    context: &Arc<Context>,
    value: &Value,
    layers: &[Arc<Map>],
    extra: &Arc<Map>,
) -> Result<Value, Diagnostic> {
    let all = layers.iter().cloned().chain([Arc::clone(extra)]).collect();
    render(engine, context, value, all).map_err(|error| error.to_diagnostic())
}
