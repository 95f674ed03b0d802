//! Settings from files and environments that are made up.

use super::*;

fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> (Config, Vec<String>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let home = ("HOME".to_owned(), folder.path().join("home").to_string_lossy().into_owned());
    let surroundings = Surroundings { folder: folder.path().to_path_buf(), variables: variables.chain([home]).collect() };
    let mut diagnostics = Diagnostics::new();
    let config = Config::load(&surroundings, &mut diagnostics);
    let place = |span: Option<&crate::source::Span>| {
        span.map_or_else(String::new, |span| format!("{}:{} ", span.line_column().0, span.line_column().1))
    };
    let said = diagnostics.iter().map(|diagnostic| format!("{}{}", place(diagnostic.span()), diagnostic.message)).collect();
    (config, said, folder)
}

#[test]
fn the_tables_are_sorted_and_their_defaults_can_be_read() {
    let bare = |info: &SettingInfo| info.field.trim_start_matches("r#").to_owned();
    assert!(SETTINGS.iter().map(bare).collect::<Vec<_>>().is_sorted());
    assert!(OTHERS.iter().map(|info| (info.owner, info.name)).is_sorted());
    let (config, said, _folder) = load(&[], &[]);
    assert_eq!(said, Vec::<String>::new());
    for resolved in &config.all {
        assert_eq!(resolved.value == crate::value::Value::Null, resolved.info.default.is_none(), "{}", resolved.info.name);
    }
    assert_eq!(config.all.len(), known().count());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "[defaults]\nforks = 7 ; x\n# c\ninventory: h.ini,\n  x.yml\nRoles_Path=a:~/b:$HOME/c\nremote_user = \"root\"\n[privilege_escalation]\nbecome=yes\n";
    let (config, said, folder) = load(&[("ansible.cfg", file)], &[("ANSIBLE_FORKS", "9"), ("NO_COLOR", "")]);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!((config.forks.value, config.forks.origin.to_string().as_str()), (9, "env: ANSIBLE_FORKS"));
    assert_eq!(config.inventory.0, [folder.path().join("h.ini"), folder.path().join("x.yml")]);
    assert_eq!(config.roles_path.0, [folder.path().join("a"), folder.path().join("home/b"), folder.path().join("home/c")]);
    assert_eq!((config.remote_user.as_deref(), *config.r#become, *config.nocolor, *config.timeout), (Some("root"), true, true, 10));
    assert!(config.remote_user.origin.to_string().ends_with("ansible.cfg:7:1"));
}

#[test]
fn what_has_no_effect_is_said_once() {
    let file = "[defaults]\nallow_embedded_templates = False\nfrks = 1\npipelining = True\n[ara]\nx=1\n[diff]\nalways = maybe\n[url_lookup]\nforce = no\n";
    let (_, said, _) = load(
        &[("ansible.cfg", file)],
        &[("ANSIBLE_FOKRS", "x"), ("ANSIBLE_MINE", "1"), ("ANSIBLE_LIBRARY", "x"), ("ANSIBLE_PLAYBOOK_VARS_ROOT", "all")],
    );
    assert_eq!(
        said,
        [
            "8:1 the setting `DIFF_ALWAYS` is `maybe`, expected a boolean",
            "2:1 the setting `allow_embedded_templates` of `[defaults]` has no effect: not supported yet",
            "3:1 unknown setting `frks` of `[defaults]`",
            "unknown setting `ANSIBLE_FOKRS` in the environment; did you mean `ANSIBLE_FORKS`?",
            "the setting `ANSIBLE_PLAYBOOK_VARS_ROOT` of the environment has no effect: `group_vars` and `host_vars` of roles and of folders of included files are not read",
        ]
    );
}

#[test]
fn the_file_is_found_where_ansible_finds_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (config, _, _) =
        load(&[("other.cfg", "[defaults]\nforks=3"), ("ansible.cfg", "[defaults]\nforks=4")], &[("ANSIBLE_CONFIG", "other.cfg")]);
    assert_eq!(config.forks.value, 3);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ansible.cfg"), "[defaults]\nforks=4").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut diagnostics = Diagnostics::new();
    let config = Config::load(&Surroundings { folder: folder.path().to_path_buf(), variables: BTreeMap::new() }, &mut diagnostics);
    assert_eq!(config.forks.origin, ConfigOrigin::Default);
    assert!(diagnostics.iter().any(|diagnostic| diagnostic.message.contains("everybody can write")));
}

#[test]
fn a_broken_file_is_an_error() {
    assert_eq!(load(&[("ansible.cfg", "forks=3\n")], &[]).1, ["1:1 found a setting before the first `[section]`"]);
    assert_eq!(load(&[("ansible.cfg", "[defaults]\nforks=3\nforks=4")], &[]).1, ["3:1 the setting `forks` of `[defaults]` is there twice"]);
}
