//! Lookups over files made for the tests, and the tables.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::template::{Context, Engine, NoWorld, Scope, Variable};
use crate::value::to_json;

struct Names;

impl Scope for Names {
    fn get(&self, name: &str) -> Option<Variable> {
        match name {
            "greeting" => Some(Variable::Value(Value::Text(Text::trusted("hello {{ name }}", None)))),
            "name" => Some(Variable::Value(Value::from("world"))),
            _ => None,
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        vec!["greeting".into(), "name".into()]
    }
}

fn templar(folder: &Path) -> Templar {
    let context = Context::of_playbook(folder.to_path_buf(), Arc::new(NoWorld));
    Templar::new(&Arc::new(Engine::new()), Arc::new(Names), Arc::new(context))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("files/a.txt", "  hello\nworld\n\n"),
        ("b.txt", "b\n"),
        ("x.ini", "[s]\na=1\nB = two\nmulti = x\n  y\ninterp = %(a)s-%(b)s\n; c\n[t]\na: 2\n"),
        ("x.properties", "k=v\nz : w\n"),
        ("x.csv", "a,1,x\nb,2,y\n\"q\",\"say \"\"hi\"\", ok\",z\n"),
        ("x.tsv", "t\tu\tv\n"),
        ("pw", "hunter2\n"),
        ("pwsalt", "hunter2 salt=abcdefgh\n"),
        ("templates/t.j2", "{# c #}\nv={{ v | default('none') }} {{ greeting }}\n{% if true %}\nyes\n{% endif %}\n"),
        ("templates/v.j2", "x [% 1+1 %] {{ y }}\n"),
        ("templates/h.j2", "#jinja2: trim_blocks: False\n{% if true %}\nyes{% endif %}\n"),
        ("templates/bad.j2", "a {{ nope }}\n"),
        ("evil.txt", "{{ name }}\n"),
    ];
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn outcome(templar: &Templar, expression: &str) -> String {
    match templar.expression(&Text::trusted(expression, None)) {
        Ok(value) => to_json(&value).to_string(),
        Err(error) => error.full_message(),
    }
}

/// Each expression and what ansible-core makes of it.
fn check(table: &[(&str, &str)]) {
    let folder = folder();
    let templar = templar(folder.path());
    let place = folder.path().display().to_string();
    for (expression, expected) in table {
        assert_eq!(outcome(&templar, expression).replace(&place, "DIR"), *expected, "{expression}");
    }
}

#[test]
fn lookups_give_what_ansible_gives() {
    crate::template::filter::recorded::check_records(include_str!("recorded.jsonl"));
}

#[test]
fn files() {
    check(&[
        ("lookup('file', 'a.txt')", r#""  hello\nworld""#),
        ("lookup('file', 'a.txt', rstrip=false)", r#""  hello\nworld\n\n""#),
        ("lookup('file', 'a.txt', lstrip=true)", r#""hello\nworld""#),
        ("lookup('file', 'a.txt', 'b.txt')", r#""  hello\nworld,b""#),
        ("lookup('file', 'evil.txt')", r#""{{ name }}""#),
        ("query('fileglob', '*.txt')", r#"["DIR/files/a.txt"]"#),
        ("query('fileglob', 'b.*')", r#"["DIR/b.txt"]"#),
        ("query('first_found', ['nope', 'a.txt'])", r#"["DIR/files/a.txt"]"#),
        ("lookup('first_found', {'files': ['x', 'b.txt'], 'paths': ['DIR', '.']})", r#""DIR/b.txt""#),
        ("lookup('first_found', files=['b.txt'], paths=['.'])", r#""DIR/b.txt""#),
        ("lookup('first_found', 'nope')", "The lookup plugin 'first_found' failed: No file was found when using first_found."),
        ("query('first_found', ['nope'], skip=true)", "[]"),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("lookup('template', 't.j2')", r#""v=none hello world\nyes\n""#),
        ("lookup('template', 't.j2', template_vars={'v': 5, 'name': 'you'})", r#""v=5 hello you\nyes\n""#),
        ("lookup('template', 'v.j2', variable_start_string='[%', variable_end_string='%]')", r#""x 2 {{ y }}\n""#),
        ("lookup('template', 'h.j2')", r#""\nyes\n""#),
        ("lookup('template', 'bad.j2')", "'nope' is undefined"),
        ("lookup('template', 'no.j2')", "The lookup plugin 'template' failed: the template file no.j2 could not be found for the lookup"),
    ]);
}

#[test]
fn tables() {
    check(&[
        ("lookup('ini', 'a section=s file=x.ini')", r#""1""#),
        ("lookup('ini', 'B', section='s', file='x.ini')", r#""two""#),
        ("lookup('ini', 'nope', section='s', file='x.ini')", r#""""#),
        ("lookup('ini', 'nope', section='s', file='x.ini', default='dd')", r#""dd""#),
        ("lookup('ini', 'a', section='nope', file='x.ini')", "The lookup plugin 'ini' failed: No section 'nope' in 'DIR/x.ini'."),
        ("lookup('ini', 'k', type='properties', file='x.properties')", r#""v""#),
        ("query('ini', '.*', section='s', file='x.ini', re=true)", r#"["1","two","x\ny","1-two"]"#),
        ("lookup('ini', 'a', section='s', file='nope.ini')", "The lookup plugin 'ini' failed: Invalid filename None."),
        ("lookup('csvfile', 'b', file='x.csv', delimiter=',')", r#""2""#),
        ("lookup('csvfile', 'b file=x.csv delimiter=, col=2')", r#""y""#),
        ("lookup('csvfile', 'q', file='x.csv', delimiter=',')", r#""say \"hi\", ok""#),
        ("lookup('csvfile', 'nope', file='x.csv', delimiter=',')", "[]"),
        ("lookup('csvfile', 'nope', file='x.csv', delimiter=',', default='d')", r#""d""#),
        ("lookup('csvfile', 'b', file='x.csv', delimiter=',', col=9)", "The lookup plugin 'csvfile' failed: list index out of range"),
        ("lookup('csvfile', 't', file='x.tsv')", r#""u""#),
        ("lookup('csvfile', '1', file='x.csv', delimiter=',', keycol=1, col=0)", r#""a""#),
    ]);
}

#[test]
fn passwords_are_kept() {
    let folder = folder();
    let templar = templar(folder.path());
    assert_eq!(outcome(&templar, "lookup('password', 'pw length=5')"), r#""hunter2""#);
    assert_eq!(outcome(&templar, "lookup('password', 'pwsalt')"), r#""hunter2""#);
    let made = outcome(&templar, "lookup('password', 'deep/er/new', length=12, chars=['digits'])");
    assert!(made.len() == 14 && made[1..13].bytes().all(|byte| byte.is_ascii_digit()), "{made}");
    assert_eq!(outcome(&templar, "lookup('password', 'deep/er/new')"), made);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(folder.path().join("deep/er/new")).unwrap());
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path().join("deep/er")).unwrap().count(), 1);
    let hashed = outcome(&templar, "lookup('password', 'pwsalt encrypt=sha512_crypt')");
    let expected = "$6$rounds=656000$V7qMYJaN$wD12PEhOtEFpHkj1Uo6KaF.PtPs/DG4EyyacngygR.8rhQye.rS85Pgt0x7NmZSx5iXHO6V2C5PCWfdTExkeh1";
    assert_eq!(hashed, format!("\"{expected}\""));
    let salted = outcome(&templar, "lookup('password', 'pw', encrypt='sha256_crypt')");
    let line = std::fs::read_to_string(folder.path().join("pw")).unwrap();
    assert!(line.starts_with("hunter2 salt=") && line.len() == "hunter2 salt=\n".len() + 16, "{line}");
    assert_eq!(outcome(&templar, "lookup('password', 'pw encrypt=sha256_crypt')"), salted);
}

#[test]
fn variables() {
    check(&[
        ("lookup('vars', 'greeting')", r#""hello world""#),
        ("query('varnames', '^g')", r#"["greeting"]"#),
        ("lookup('vars', 'nope')", "No variable named 'nope' was found."),
        ("lookup('vars', 'nope', default='d')", r#""d""#),
        ("lookup('vars', 'greeting', 'name')", r#""hello world,world""#),
    ]);
}

#[test]
fn pages_come_over_http() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let answers = [
            "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n3\r\ntwo\r\n0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        ];
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 2048]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let folder = folder();
    let templar = templar(folder.path());
    assert_eq!(outcome(&templar, &format!("query('url', 'http://{address}/a')")), r#"["one","two"]"#);
    let missing = format!("http://{address}/c");
    let expected = format!("The lookup plugin 'url' failed: Received HTTP error for {missing} : HTTP Error 404: Not Found");
    assert_eq!(outcome(&templar, &format!("lookup('url', '{missing}')")), expected);
    server.join().unwrap();
}

#[test]
fn loops_run_lookups_over_their_terms() {
    let folder = folder();
    let templar = templar(folder.path());
    let check = |name: &str, terms: &str, expected: &str| {
        let terms = crate::value::from_json(serde_json::from_str(terms).unwrap()).map_texts(&|text| Text::trusted(text.as_str(), None));
        let got = match run_loop(name, &terms, &templar) {
            Ok(items) => to_json(&Value::list(items)).to_string(),
            Err(error) => error.full_message(),
        };
        assert_eq!(got.replace(&folder.path().display().to_string(), "DIR"), expected, "{name} {terms:?}");
    };
    check("items", r#"["a", ["b", ["c"]], "{{ name }}"]"#, r#"["a","b",["c"],"world"]"#);
    check("items", r#""{{ [1, 2] }}""#, "[1,2]");
    check("items", r#""one""#, r#"["one"]"#);
    check("items", r#"{"a": 1}"#, r#"[{"a":1}]"#);
    check("items", "[[]]", "[]");
    check("items", r#"["{{ omit }}", 2]"#, "[2]");
    check("items", r#""{{ range(2) }}""#, "Error rendering template: Type 'range' is unsupported for variable storage.");
    check("nested", r#"["ab", [1]]"#, r#"[["a",1],["b",1]]"#);
    check("nested", r#"{"a": 1, "b": 2}"#, r#"[["a"],["b"]]"#);
    check("items", r#"["{{ nope }}"]"#, "'nope' is undefined");
    check("dict", r#"{"a": 1, "b": "{{ name }}"}"#, r#"[{"key":"a","value":1},{"key":"b","value":"world"}]"#);
    check("list", r#"[["a"], "b"]"#, r#"[["a"],"b"]"#);
    check("nested", r#"[["a", "b"], [1, 2]]"#, r#"[["a",1],["a",2],["b",1],["b",2]]"#);
    check("together", r#"[["a", "b"], [1, 2]]"#, r#"[["a",1],["b",2]]"#);
    check("subelements", r#"["{{ [{'n': 'x', 'l': [1, 2]}] }}", "l"]"#, r#"[[{"n":"x"},1],[{"n":"x"},2]]"#);
    check("sequence", r#""start=1 end=3 format=h%02d""#, r#"["h01","h02","h03"]"#);
    check("indexed_items", r#"["a", "b"]"#, r#"[[0,"a"],[1,"b"]]"#);
    check("fileglob", r#"["b*"]"#, r#"["DIR/b.txt"]"#);
    check("first_found", r#"["{{ nope }}.yml", "b.txt"]"#, r#"["DIR/b.txt"]"#);
    check("first_found", r#"[{"files": ["no", "b.txt"], "paths": ["."], "skip": true}]"#, r#"["DIR/b.txt"]"#);
    check("first_found", r#"{"files": ["no"], "skip": true}"#, "[]");
    check("lines", r#"["printf '1\n2\n'"]"#, r#"["1","2"]"#);
    check("nope", "[]", "The lookup plugin 'nope' was not found.");
}

#[test]
fn tables_are_sorted_and_names_are_unique() {
    let mut names = std::collections::HashSet::new();
    for family in LOOKUPS {
        assert!(family.is_sorted_by_key(|lookup| lookup.name), "the family of `{}`", family[0].name);
        for lookup in *family {
            assert!(names.insert(lookup.name), "`{}` is there twice", lookup.name);
            assert!(lookup.options.is_sorted(), "the options of `{}`", lookup.name);
        }
    }
}
