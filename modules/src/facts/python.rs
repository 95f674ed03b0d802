//! The host's Python, where it has one. Nothing here needs it: playbooks ask for `ansible_python_version`.

use super::{Facts, Look, set};
use crate::Json;

/// Prints what the facts say of an interpreter.
const PROGRAM: &str = "import json,platform,sys
try:
    from ssl import create_default_context,SSLContext
    ssl=True
except ImportError:
    ssl=False
v=sys.version_info
print(json.dumps({'python_version':platform.python_version(),'python':{'version':{'major':v[0],'minor':v[1],'micro':v[2],'releaselevel':v[3],'serial':v[4]},'version_info':list(v),'executable':sys.executable,'has_sslcontext':ssl,'type':sys.implementation.name}}))";

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    if let Some(python) = probe(look).and_then(|probed| probed.get("python").cloned()) {
        set(facts, "python", python);
    }
}

/// What the host's interpreter says of itself; it is started once.
pub(super) fn probe<'a>(look: &'a Look) -> Option<&'a Json> {
    let ask = || ["python3", "/usr/libexec/platform-python", "python"].iter().find_map(|name| look.ask(name, &["-I", "-c", PROGRAM]));
    look.python.get_or_init(|| serde_json::from_str(&ask()?).ok()).as_ref()
}
