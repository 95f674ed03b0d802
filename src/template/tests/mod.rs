//! What templates yield, held against ansible-core.

use std::sync::Arc;

use super::{Context, Engine, ErrorKind, FileOptions, NoWorld, Rendered, Scope, Templar, Variable, print};
use crate::source::Source;
use crate::value::{Map, Text, Value};

struct Names(Map);

impl Scope for Names {
    fn get(&self, name: &str) -> Option<Variable> {
        self.0.get(name).cloned().map(Variable::Value)
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().filter_map(|key| key.as_str().map(Arc::from)).collect()
    }
}

fn trusted(value: &Value) -> Value {
    value.map_texts(&|text| Text::trusted(text.as_str(), None))
}

fn templar(variables: &str) -> Templar {
    let json = serde_json::from_str(variables).unwrap();
    let Value::Map(map) = trusted(&crate::value::from_json(json)) else { panic!("variables are a map") };
    let context = Arc::new(Context::of_playbook(std::env::temp_dir(), Arc::new(NoWorld)));
    Templar::new(&Arc::new(Engine::new()), Arc::new(Names((*map).clone())), context)
}

const VARIABLES: &str = r#"{"d":{"a":1,"b":{"c":"{{ x }}"}},"l":[1,2,3],"x":"ex","lz":["{{ nope }}",2],"s":"abc","t":true,"dt":{"items":3},
    "rec":"{{ rec }}","r1":"{{ r2 }}","r2":"{{ r1 }}","u":"{{ nope }}","xu":"x{{ nope }}","bad":"{{ 1/0 }}","o":"{{ omit }}",
    "lo":["{{ omit }}",1],"syn":"{{ 1 + }}","selfd":{"x":1,"y":"{{ selfd.x }}"},"selfe":{"y":"{{ selfe.y }}"},"cond":"x == \"ex\"",
    "ln":[{"a":1},{"a":2},{"b":3}],"nn":null,"num":5,"fl":2.5}"#;

fn outcome(source: &str) -> String {
    let templar = templar(VARIABLES);
    let shown = |value: &Value| {
        let list = Value::list(vec![value.clone()]);
        let text = print::value_to_text(&list);
        text.as_str()[1..text.as_str().len() - 1].to_owned()
    };
    let result = if let Some(condition) = source.strip_prefix("WHEN ") {
        templar.condition(&Value::Text(Text::trusted(condition, None))).map(|holds| shown(&Value::Bool(holds)))
    } else if let Some(expression) = source.strip_prefix("EXPR ") {
        templar.expression(&Text::trusted(expression, None)).map(|value| shown(&value))
    } else {
        templar.render(&Value::Text(Text::trusted(source, None))).map(|rendered| match rendered {
            Rendered::Value(value) => shown(&value),
            Rendered::Omit => "ERR A template was resolved to an Omit scalar.".to_owned(),
        })
    };
    result.unwrap_or_else(|error| format!("ERR {}", error.full_message()))
}

#[test]
fn templates_yield_what_ansible_yields() {
    let mut wrong = String::new();
    for line in include_str!("recorded.txt").lines().filter(|line| !line.starts_with("# ")) {
        let (source, expected) = line.split_once(" => ").unwrap();
        let got = outcome(source);
        if got != expected {
            wrong.push_str(&format!("{source}\n    wanted {expected}\n    got    {got}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn check(source: &str, expected: &str) {
    assert_eq!(outcome(source), expected, "{source}");
}

#[test]
fn globals() {
    check("{{ cycler('a', 'b').next() }}", "'a'");
    check("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}", "'aba'");
    check("{% set j = joiner(',') %}{{ j() }}a{{ j() }}b", "'a,b'");
    check("{{ now(utc=true, fmt='%Y') | default('') > '2000' }}", "True");
    check("{{ (now() - now()).total_seconds() < 1 }}", "True");
    check("{{ query('items', [1, 2]) }}", "[1, 2]");
}

/// Renders a template that is a file among others.
fn check_files(files: &[(&str, &str)], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let context = Arc::new(Context::of_playbook(folder.path().to_path_buf(), Arc::new(NoWorld)));
    let json = serde_json::from_str(VARIABLES).unwrap();
    let Value::Map(map) = trusted(&crate::value::from_json(json)) else { panic!("variables are a map") };
    let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(Names((*map).clone())), context);
    let source = Source::file(&folder.path().join(files[0].0), files[0].1.to_owned());
    let got = templar.render_file(&source, &FileOptions::default());
    let got = got.map_or_else(|error| format!("ERR {}", error.full_message()), |text| text.as_str().to_owned());
    assert_eq!(got, expected, "{}", files[0].1);
}

#[test]
fn files_are_text() {
    check_files(&[("a", "{{ 3 }}\n")], "3");
    check_files(&[("a", "{{ 3 }} \n")], "3 \n");
    check_files(&[("a", "{{ none }}{{ l }}")], "[1, 2, 3]");
    check_files(&[("a", "{% if t %}\n  yes\n{% endif %}\nend\n")], "  yes\nend\n");
    check_files(&[("a", "{{ 'a\\nb' }}")], "a\nb");
    check_files(&[("a", "#jinja2: trim_blocks: False\n{% if t %}\nyes{% endif %}\n")], "\nyes\n");
    check_files(&[("a", "#jinja2:variable_start_string:'[%', variable_end_string:'%]'\n[% x %] {{ x }}\n")], "ex {{ x }}\n");
    check_files(&[("a", "a\r\nb {{ nope }}\r\n")], "ERR 'nope' is undefined");
    check_files(&[("a", "a\r\nb\r\n")], "a\r\nb\r\n");
    check_files(&[("a", "a\r\n{{ t }}\r\n")], "a\nTrue\n");
    check_files(&[("a", "a\r\nb {{ x }}\r\n")], "a\nb ex\n");
}

#[test]
fn files_include_import_and_extend() {
    check_files(&[("a", "{% set y = 1 %}{% include 'b' %}!"), ("b", "{{ x }}{{ y }}\n")], "ex1!");
    check_files(&[("a", "{% include 'b' %}\n"), ("b", "p\n\n")], "p\n");
    check_files(&[("a", "{% extends 'b' %}{% block one %}A{% endblock %}\n\n"), ("b", "<{% block one %}{% endblock %}>\n\n")], "<A>\n\n");
    check_files(&[("a", "{% include 'nope' ignore missing %}{% include ['nope', 'b'] %}"), ("b", "b")], "b");
    check_files(&[("a", "{% include 'b' without context %}"), ("b", "{{ x }}")], "ERR 'x' is undefined");
    check_files(
        &[("a", "{% import 'b' as b %}{{ b.m(2) }}{{ b.v }}"), ("b", "{% macro m(n) %}<{{ n }}>{% endmacro %}{% set v = 7 %}")],
        "<2>7",
    );
    check_files(
        &[
            ("a", "{% from 'b' import m as f, v %}{{ f() }}{{ v }}"),
            ("b", "{% macro m() %}{{ x | default('none') }}{% endmacro %}{% set v = 7 %}"),
        ],
        "none7",
    );
    check_files(&[("a", "{% from 'b' import m with context %}{{ m() }}"), ("b", "{% macro m() %}{{ x }}{% endmacro %}")], "ex");
    check_files(
        &[("a", "{% from 'b' import nope %}{{ nope }}"), ("b", "")],
        "ERR the template 'b' does not export the requested name 'nope'",
    );
    check_files(
        &[
            ("a", "{% extends 'b' %}ignored{% block one %}A{{ super() }}{% endblock %}{% block two %}{{ self.one() }}{% endblock %}"),
            ("b", "<{% block one %}B{% endblock %}|{% block two %}{% endblock %}|{% block three %}C{% endblock %}>"),
        ],
        "<AB|AB|C>",
    );
    check_files(&[("a", "{% include 'a' %}")], "ERR Recursive loop detected in template: maximum recursion depth exceeded");
}

#[test]
fn mutable_containers_end_with_the_template() {
    let templar = templar(VARIABLES);
    let render = |source: &str| match templar.render(&Value::Text(Text::trusted(source, None))).unwrap() {
        Rendered::Value(value) => print::value_to_text(&value).as_str().to_owned(),
        Rendered::Omit => "omitted".to_owned(),
    };
    assert_eq!(render("{{ l.append(9) }}{{ l }}"), "[1, 2, 3, 9]");
    assert_eq!(render("{{ l }}"), "[1, 2, 3]");
    assert_eq!(render("{{ d.b.update({'z': 1}) }}{{ d }}"), "{'a': 1, 'b': {'c': 'ex', 'z': 1}}");
    assert_eq!(render("{{ d }}"), "{'a': 1, 'b': {'c': 'ex'}}");
    assert_eq!(
        render("{% set g = {} %}{% for i in l %}{% set _ = g.setdefault('k', []).append(i) %}{% endfor %}{{ g }}"),
        "{'k': [1, 2, 3]}"
    );
    assert_eq!(
        render("{% for i in ln %}{% set _ = i.update({'q': 1}) %}{% endfor %}{{ ln }}"),
        "[{'a': 1, 'q': 1}, {'a': 2, 'q': 1}, {'b': 3, 'q': 1}]"
    );
}

#[test]
fn secrets_stay_secret() {
    let mut map = Map::new();
    map.insert("p", Text::from("hunter2").into_secret());
    let context = Arc::new(Context::of_playbook(std::env::temp_dir(), Arc::new(NoWorld)));
    let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(Names(map)), context);
    for source in [
        "{{ p }}",
        "x{{ p }}",
        "{{ p ~ 1 }}",
        "{{ p.upper() }}",
        "{{ p[1:] }}",
        "{{ p[0] }}",
        "{{ [p] ~ '' }}",
        "{{ 'a'.join([p]) }}",
        "{{ '%s' % p }}",
        "{{ '{}'.format(p) }}",
        "{{ 'a'.replace('a', p) }}",
        "{% set x %}{{ p }}a{% endset %}{{ x }}",
        "x{{ [p] }}",
        "{% macro m() %}a{{ p }}{% endmacro %}{{ m() }}",
        "{{ p * 2 }}",
        "{{ p.split('t')[1] }}",
        "{% for c in p %}{{ c }}{% endfor %}",
    ] {
        let Rendered::Value(Value::Text(text)) = templar.render(&Value::Text(Text::trusted(source, None))).unwrap() else {
            panic!("{source} is text")
        };
        assert!(text.is_secret(), "{source}");
    }
}

#[test]
fn only_what_the_user_wrote_is_rendered() {
    let mut map = Map::new();
    map.insert("fact", "{{ 1 + 1 }}");
    map.insert("list", Value::list(vec![Value::text("{{ 1 }}")]));
    map.insert("expr", "true");
    map.insert("mine", Value::Text(Text::trusted("1 == 1", None)));
    let context = Arc::new(Context::of_playbook(std::env::temp_dir(), Arc::new(NoWorld)));
    let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(Names(map)), context);
    let render = |source: &str| templar.render(&Value::Text(Text::trusted(source, None))).unwrap();
    assert_eq!(render("{{ fact }}"), Rendered::Value(Value::text("{{ 1 + 1 }}")));
    assert_eq!(render("{{ list }}"), Rendered::Value(Value::list(vec![Value::text("{{ 1 }}")])));
    assert_eq!(render("{% set a = fact %}{{ a ~ fact }}"), Rendered::Value(Value::text("{{ 1 + 1 }}{{ 1 + 1 }}")));
    let untrusted = Value::text("{{ fact }}");
    assert_eq!(templar.render(&untrusted).unwrap(), Rendered::Value(untrusted.clone()));
    for condition in [Value::text("true"), Value::Text(Text::trusted("{{ expr }}", None))] {
        assert_eq!(*templar.condition(&condition).err().unwrap().kind(), ErrorKind::Untrusted);
    }
    assert!(templar.condition(&Value::Text(Text::trusted("{{ mine }}", None))).unwrap());
}

#[test]
fn errors_have_the_place_of_the_exact_piece() {
    let place = |written: &str| {
        let source = Source::named("site.yml", format!("msg: {written}\n"));
        let node = crate::yaml::load_one(&source, &mut crate::source::Diagnostics::new()).unwrap();
        let value = node.get("msg").unwrap().to_value();
        let error = templar(VARIABLES).render(&value).err().unwrap();
        format!("{} {:?} {}", error.span().unwrap().text(), error.hint().unwrap_or(""), error.message())
    };
    assert_eq!(place("\"a {{ num.user }}\""), "num.user \"\" object of type 'int' has no attribute 'user'");
    assert_eq!(place("\"hello {{ cnd.name }}\""), "cnd \"did you mean `cond`?\" 'cnd' is undefined");
    assert_eq!(place("\"{{ d.b.cc }}\""), "d.b.cc \"did you mean `c`?\" object of type 'dict' has no attribute 'cc'");
    assert_eq!(place("'it''s {{ 1 / 0 }}'"), "1 / 0 \"\" division by zero");
    assert_eq!(place("\"{{ x | uper }}\""), "uper \"did you mean `upper`?\" Syntax error in template: No filter named 'uper'.");
    assert_eq!(place(">-\n  a\n  {{ l[0].x\n  }}"), "l[0].x \"\" object of type 'int' has no attribute 'x'");
    assert_eq!(place("\"{{ 1 1 }}\""), "1 \"\" Syntax error in template: expected token 'end of print statement', got 'integer'");
}

#[test]
fn bombs_are_errors() {
    let limit = "ERR Error rendering template: the template makes more data than it may";
    check("{{ 'a' * 10 ** 10 }}", limit);
    check("{{ [1] * 10 ** 10 }}", limit);
    check("{% for i in range(10 ** 10) %}{% endfor %}", limit);
    check("{{ 10 ** (10 ** 10) }}", "ERR Error rendering template: the number is too large");
    check("{% set a = 'a' * 1000000 %}{% for i in range(100000) %}{{ a }}{% endfor %}", limit);
    check("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "ERR Recursive loop detected in template: maximum recursion depth exceeded");
    check("{% set l = [] %}{{ l.append(l) }}{{ l }}", "ERR Recursive loop detected in template: maximum recursion depth exceeded");
    check("{{ '%1000000000d' % 1 }}", "ERR Error rendering template: the width is too large");
    check("{{ 'a'.ljust(10 ** 12) }}", limit);
    check("{% set a = 'a' * 10000000 %}{{ [a] * 1000000 ~ '' }}", limit);
    check("{% set a = 'a' * 10000000 %}x{{ [a] * 1000000 }}", limit);
    check("{% set a = 'a' * 1000000 %}{{ a.join([a] * 1000000) }}", limit);
    check("{% set a = 'a' * 1000000 %}{{ ('%s' * 1000000) % ((a,) * 1000000) }}", limit);
    let chain: Map = (0..1000).map(|index| (format!("v{index}").into(), Value::text(format!("{{{{ v{} }}}}", index + 1)))).collect();
    let Value::Map(chain) = trusted(&Value::map(chain)) else { panic!("a map") };
    let context = Arc::new(Context::of_playbook(std::env::temp_dir(), Arc::new(NoWorld)));
    let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(Names((*chain).clone())), context);
    assert_eq!(*templar.get("v0").err().unwrap().kind(), ErrorKind::Recursion);
}

#[test]
fn what_minijinja_does_not_parse_works_too() {
    check("{% for x in l, 'b' %}{{ x }};{% endfor %}", "'[1, 2, 3];b;'");
    check("{{ 1, 2 }}", "[1, 2]");
    check("{{ +1 }}", "1");
    check("{{ 3 - +2 }}", "1");
    check("{% macro m() %}{% block b %}x{% endblock %}{% endmacro %}{{ m() }}", "'x'");
    assert!(outcome("{% do l.append(1) if t %}").starts_with("ERR Syntax error in template: "));
}

#[test]
fn facts_often_got_wrong() {
    check("{{ 3 }}{{ none }}", "3");
    check("{% for i in [1] %}{{ [i] }}{% endfor %}", "[1]");
    check("{{ 3 }}\n", "3");
    check("{{ x }}\n", r"'ex\n'");
    check("{{ x }}\n\n", r"'ex\n\n'");
    check("{% if t %}a{% endif %}\n", r"'a\n'");
    check("{{ 3 }} ", "'3 '");
    check("x{{ none }}", "'x'");
    check("{{ 10/2 }}", "5.0");
    check("{{ '[1]' }}", "'[1]'");
    check("{{ (1,2) }}", "[1, 2]");
    check("x{{ (1,2) }}", "'x[1, 2]'");
    check("{{ (1,2) ~ '' }}", "'(1, 2)'");
    check("{{ range(3) }}", "ERR Error rendering template: Type 'range' is unsupported for variable storage.");
    check("{{ dt.items }}", "ERR Error rendering template: Type 'method' is unsupported for variable storage.");
    check("{{ [x | default(omit)] }}", "['ex']");
    check("{{ [nope | default(omit)] }}", "[]");
    check("x{{ omit }}", "'x'");
    check("{{ nope == 1 }}", "ERR 'nope' is undefined");
    check("{{ 1 if nope else 2 }}", "ERR 'nope' is undefined");
    check("{{ nope ~ '' }}", "ERR 'nope' is undefined");
    check("{{ nope.a.b | default(1) }}", "1");
    check("{{ 'a' if false }}", "ERR Error rendering template: Type 'Undefined' is unsupported for variable storage.");
    check("x{{ 'a' if false }}", "'x'");
    check(
        "WHEN x",
        "ERR Conditional result (True) was derived from value of type 'str' at '<unknown>'. Conditionals must have a boolean result.",
    );
    check("WHEN not x", "False");
    check("WHEN {{ t }}", "True");
    check("{{ 2 ** 3 ** 2 }}", "64");
    check("{{ -2 ** 2 }}", "4");
    check("sh {{ d }}", "\"sh {'a': 1, 'b': {'c': 'ex'}}\"");
}

#[test]
fn scopes_are_looked_up_name_by_name() {
    struct Hosts;
    impl Scope for Hosts {
        fn get(&self, name: &str) -> Option<Variable> {
            let mut names = Map::new();
            names.insert("own", name);
            names.insert("greeting", Value::Text(Text::trusted("hello {{ own }}", None)));
            matches!(name, "web1" | "web2").then(|| Variable::Scope(Arc::new(Names(names))))
        }

        fn names(&self) -> Vec<Arc<str>> {
            vec!["web1".into(), "web2".into()]
        }
    }
    struct All;
    impl Scope for All {
        fn get(&self, name: &str) -> Option<Variable> {
            match name {
                "hostvars" => Some(Variable::Scope(Arc::new(Hosts))),
                "own" => Some(Variable::Value(Value::text("me"))),
                _ => None,
            }
        }

        fn names(&self) -> Vec<Arc<str>> {
            vec!["hostvars".into(), "own".into()]
        }
    }
    let context = Arc::new(Context::of_playbook(std::env::temp_dir(), Arc::new(NoWorld)));
    let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(All), context);
    let check = |source: &str, expected: &str| {
        let got = match templar.render(&Value::Text(Text::trusted(source, None))) {
            Ok(Rendered::Value(value)) => print::value_to_text(&value).as_str().to_owned(),
            Ok(Rendered::Omit) => "omitted".to_owned(),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(got, expected, "{source}");
    };
    check("{{ hostvars['web1'].greeting }}", "hello web1");
    check("{{ hostvars.web2['greeting'] }} {{ own }}", "hello web2 me");
    check("{% for host in hostvars %}{{ hostvars[host].own }};{% endfor %}", "web1;web2;");
    check("{{ 'web1' in hostvars }} {{ 'db' in hostvars }}", "True False");
    check("{{ hostvars['web1'] }}", "{'own': 'web1', 'greeting': 'hello web1'}");
    check("{{ hostvars['web1'].nope | default('x') }}", "x");
    check("{{ hostvars['db'].own | default('x') }}", "x");
    check("{{ hostvars.web1.items() | default(0) }}", "[['own', 'web1'], ['greeting', 'hello web1']]");
    check("{{ hostvars.web1.get('own') }}", "web1");
}

#[test]
fn nothing_panics() {
    let sources: Vec<&str> = include_str!("recorded.txt").lines().filter_map(|line| Some(line.split_once(" => ")?.0)).collect();
    let pieces = [
        "{{", "}}", "{%", "%}", "'", "\"", "(", ")", "[", "]", "|", ".", ":", "-", "é", "\\", "%", "{", "}", "if ", "for ", " in ", "9",
        "~", "!", "*", "",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..3_000 {
        let mut text: Vec<char> = sources[random(sources.len())].chars().collect();
        for _ in 0..=random(3) {
            let at = random(text.len() + 1);
            let end = (at + random(4)).min(text.len());
            text.splice(at..end, pieces[random(pieces.len())].chars());
        }
        outcome(&text.into_iter().collect::<String>());
    }
}
