//! `script`: a script of the control machine, run on the host.

use driftless_modules::registry;

use super::content::Source;
use super::{Action, Call, Failure, Plan};
use crate::transport::shell::split;

/// The action.
pub(super) struct Script;

impl Action for Script {
    fn names(&self) -> &'static [&'static str] {
        &["script"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let line =
            call.args.text(&["_raw_params", "cmd"]).ok_or_else(|| Failure::new("one of the following is required: _raw_params, cmd"))?;
        let module = registry::find("script").ok_or_else(|| Failure::new("the module `script` is not there"))?;
        let mut checked = call.args.check(module.spec(), "script")?;
        let words = split(&line).map_err(|error| Failure::new(error.to_string()))?;
        let name = words.first().cloned().ok_or_else(|| Failure::new("no script is named"))?;
        let rest = line
            .trim_start()
            .strip_prefix(name.as_str())
            .map_or_else(|| crate::transport::shell::join(words[1..].iter().map(String::as_str)), |rest| rest.trim_start().to_owned());
        let path = call.find_file("files", &name, if call.args.get("cmd").is_some() { "cmd" } else { "_raw_params" })?;
        let base = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        checked.args.insert("_content".to_owned(), 0.into());
        checked.args.insert("_name".to_owned(), base.into());
        checked.args.insert("_args".to_owned(), rest.into());
        let mut request = call.request("script", checked);
        request.contents.push(Source::of_file(call, path)?.into_content());
        Ok(Plan::Send(Box::new(request)))
    }
}
