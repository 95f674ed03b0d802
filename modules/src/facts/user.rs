//! `user` and `env`: who the task runs as, and in what environment.

use super::{Facts, Look, set};
use crate::host::identity;
use crate::{Json, JsonMap};

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    let uid = rustix::process::getuid().as_raw();
    let named = ["LOGNAME", "USER", "LNAME", "USERNAME"]
        .iter()
        .filter_map(|name| look.host.environment().get(name)?.into_string().ok())
        .find(|name| !name.is_empty());
    let user = named.as_deref().and_then(identity::user_by_name).or_else(|| identity::user_by_id(uid));
    if let Some(name) = named.or_else(|| user.as_ref().map(|user| user.name.clone())) {
        set(facts, "user_id", name);
    }
    if let Some(user) = user {
        set(facts, "user_uid", user.uid);
        set(facts, "user_gid", user.gid);
        set(facts, "user_gecos", user.gecos);
        set(facts, "user_dir", user.home);
        set(facts, "user_shell", user.shell);
    }
    set(facts, "real_user_id", uid);
    set(facts, "effective_user_id", rustix::process::geteuid().as_raw());
    set(facts, "real_group_id", rustix::process::getgid().as_raw());
    set(facts, "effective_group_id", rustix::process::getegid().as_raw());
}

pub(super) fn environment(look: &mut Look, facts: &mut Facts) {
    let text = |text: &std::ffi::OsString| text.to_string_lossy().into_owned();
    let map: JsonMap = look.host.environment().all().iter().map(|(name, value)| (text(name), Json::String(text(value)))).collect();
    set(facts, "env", map);
}
