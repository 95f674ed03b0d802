//! Queries to nodes: tokens by hand, then a parser that goes by how tightly each sign binds.

use super::Node;
use crate::template::python::json::loads;
use crate::value::Value;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Quoted(String),
    Number(i64),
    Literal(Value),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 24] =
    ["[?", "[]", "||", "&&", "==", "!=", "<=", ">=", ".", "*", ",", ":", "{", "}", "]", "(", ")", "@", "|", "&", "<", ">", "!", "["];

/// So deep, and so long, queries may be.
const MAX_DEPTH: usize = 100;
const MAX_TOKENS: usize = 5_000;
/// What binds tighter than this goes on with a projection.
const PROJECTION: u8 = 10;

/// A query, parsed.
pub fn parse(query: &str) -> Result<Node, String> {
    let tokens = tokens(query)?;
    if tokens.len() > MAX_TOKENS {
        return Err(format!("the query is longer than {MAX_TOKENS} words"));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let node = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected()),
    }
}

fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = query;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break };
        let word = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let (token, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let end = word(|c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Name(rest[..end].to_owned()), end)
            }
            '0'..='9' | '-' => {
                let end = 1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
                (Token::Number(rest[..end].parse().map_err(|_| format!("Unknown token '{}'", &rest[..end]))?), end)
            }
            '\'' | '"' | '`' => {
                let end = closing(rest, first).ok_or_else(|| format!("Bad jmespath expression: Unclosed {first} delimiter:\n{rest}"))?;
                let inner = &rest[1..end];
                let token = match first {
                    '\'' => Token::Literal(super::text(inner.replace("\\'", "'"))),
                    '"' => match loads(&rest[..=end]) {
                        Ok(Value::Text(name)) => Token::Quoted(name.as_str().to_owned()),
                        _ => return Err(format!("Bad jmespath expression: Invalid quoted name:\n{rest}")),
                    },
                    _ => {
                        let inner = inner.replace("\\`", "`");
                        // What is no JSON is a text, as of old.
                        Token::Literal(loads(&inner).unwrap_or_else(|_| super::text(inner.trim_start())))
                    }
                };
                (token, end + 1)
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return Err(format!("Bad jmespath expression: Unknown token {first}:\n{query}")),
            },
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// Where the text that starts with `quote` ends.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            char if char == quote => return Some(at),
            _ => {}
        }
    }
    None
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn boxed(node: Node) -> Box<Node> {
    Box::new(node)
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is = self.is(sign);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Token::End => "Incomplete expression: the query ends too early".to_owned(),
            token => format!("Invalid token in the query: {}", shown(token)),
        }
    }

    fn expression(&mut self, power: u8) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("the query is nested deeper than {MAX_DEPTH}"));
        }
        let mut left = self.prefix()?;
        // Each step wraps what was there, so many are as deep as nesting.
        let mut steps = 0;
        while power < self.power() {
            left = self.infix(left)?;
            steps += 1;
            if steps > MAX_DEPTH {
                return Err(format!("the query goes on for more than {MAX_DEPTH} steps"));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    /// How tightly the next sign binds what is before it.
    fn power(&self) -> u8 {
        let Token::Sign(sign) = self.peek() else { return 0 };
        match *sign {
            "|" => 1,
            "||" => 2,
            "&&" => 3,
            "==" | "!=" | "<" | "<=" | ">" | ">=" => 5,
            "[]" => 9,
            "*" => 20,
            "[?" => 21,
            "." => 40,
            "[" => 55,
            "(" => 60,
            _ => 0,
        }
    }

    fn prefix(&mut self) -> Result<Node, String> {
        match self.next() {
            Token::Literal(value) => Ok(Node::Literal(value)),
            Token::Name(name) if self.is("(") => self.call(name),
            Token::Name(name) | Token::Quoted(name) => Ok(Node::Field(name)),
            Token::Sign("@") => Ok(Node::Current),
            Token::Sign("*") => Ok(Node::ProjectValues(boxed(Node::Current), boxed(self.projected(20)?))),
            Token::Sign("[?") => self.filter(Node::Current),
            Token::Sign("{") => self.map(),
            Token::Sign("(") => {
                let node = self.expression(0)?;
                self.expect(")")?;
                Ok(node)
            }
            Token::Sign("[]") => Ok(Node::Project(boxed(Node::Flatten(boxed(Node::Current))), boxed(self.projected(9)?))),
            Token::Sign("!") => Ok(Node::Not(boxed(self.expression(45)?))),
            Token::Sign("&") => Ok(Node::Expression(boxed(self.expression(0)?))),
            Token::Sign("[") => match (self.peek().clone(), self.tokens.get(self.at + 1)) {
                (Token::Number(_) | Token::Sign(":"), _) => self.index(Node::Current),
                (Token::Sign("*"), Some(Token::Sign("]"))) => {
                    self.at += 2;
                    Ok(Node::Project(boxed(Node::Current), boxed(self.projected(20)?)))
                }
                _ => self.list(),
            },
            _ => {
                self.at -= 1;
                Err(self.unexpected())
            }
        }
    }

    fn infix(&mut self, left: Node) -> Result<Node, String> {
        let Token::Sign(sign) = self.next() else { return Err(self.unexpected()) };
        match sign {
            "." if self.take("*") => Ok(Node::ProjectValues(boxed(left), boxed(self.projected(20)?))),
            "." => Ok(Node::Then(boxed(left), boxed(self.after_dot(40)?))),
            "|" => Ok(Node::Then(boxed(left), boxed(self.expression(1)?))),
            "||" => Ok(Node::Or(boxed(left), boxed(self.expression(2)?))),
            "&&" => Ok(Node::And(boxed(left), boxed(self.expression(3)?))),
            "==" | "!=" | "<" | "<=" | ">" | ">=" => Ok(Node::Compare(sign, boxed(left), boxed(self.expression(5)?))),
            "[]" => Ok(Node::Project(boxed(Node::Flatten(boxed(left))), boxed(self.projected(9)?))),
            "[?" => self.filter(left),
            "[" if matches!(self.peek(), Token::Number(_) | Token::Sign(":")) => self.index(left),
            "[" => {
                self.expect("*")?;
                self.expect("]")?;
                Ok(Node::Project(boxed(left), boxed(self.projected(20)?)))
            }
            _ => {
                self.at -= 1;
                Err(self.unexpected())
            }
        }
    }

    /// What comes behind a dot.
    fn after_dot(&mut self, power: u8) -> Result<Node, String> {
        match self.peek() {
            Token::Name(_) | Token::Quoted(_) | Token::Sign("*") => self.expression(power),
            Token::Sign("[") => {
                self.at += 1;
                self.list()
            }
            Token::Sign("{") => {
                self.at += 1;
                self.map()
            }
            _ => Err(self.unexpected()),
        }
    }

    /// What is asked of each item of a projection.
    fn projected(&mut self, power: u8) -> Result<Node, String> {
        if self.power() < PROJECTION {
            return Ok(Node::Current);
        }
        match self.peek() {
            Token::Sign("[" | "[?") => self.expression_on_current(power),
            Token::Sign(".") => {
                self.at += 1;
                self.after_dot(power)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// An expression that starts with a bracket, on the item itself.
    fn expression_on_current(&mut self, power: u8) -> Result<Node, String> {
        self.expression(power)
    }

    fn filter(&mut self, base: Node) -> Result<Node, String> {
        let condition = self.expression(0)?;
        self.expect("]")?;
        // Only what flattens stands behind the whole.
        let each = if self.is("[]") { Node::Current } else { self.projected(21)? };
        Ok(Node::Filter(boxed(base), boxed(each), boxed(condition)))
    }

    fn index(&mut self, base: Node) -> Result<Node, String> {
        let mut parts = [None, None, None];
        let mut place = 0;
        while !self.is("]") {
            match self.next() {
                Token::Sign(":") if place < 2 => place += 1,
                Token::Number(number) if parts[place].is_none() => parts[place] = Some(number),
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected());
                }
            }
        }
        self.expect("]")?;
        match (place, parts) {
            (0, [Some(index), ..]) => Ok(Node::Then(boxed(base), boxed(Node::Index(index)))),
            (0, _) => Err(self.unexpected()),
            (_, [start, stop, step]) => {
                let slice = Node::Then(boxed(base), boxed(Node::Slice(start, stop, step)));
                Ok(Node::Project(boxed(slice), boxed(self.projected(20)?)))
            }
        }
    }

    fn list(&mut self) -> Result<Node, String> {
        let mut items = vec![self.expression(0)?];
        while self.take(",") {
            items.push(self.expression(0)?);
        }
        self.expect("]")?;
        Ok(Node::List(items))
    }

    fn map(&mut self) -> Result<Node, String> {
        let mut entries = Vec::new();
        loop {
            let (Token::Name(key) | Token::Quoted(key)) = self.next() else {
                self.at -= 1;
                return Err(self.unexpected());
            };
            self.expect(":")?;
            entries.push((key, self.expression(0)?));
            if self.take("}") {
                return Ok(Node::Map(entries));
            }
            self.expect(",")?;
        }
    }

    fn call(&mut self, name: String) -> Result<Node, String> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.expression(0)?);
        }
        Ok(Node::Call(name, arguments))
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) | Token::Quoted(name) => format!("`{name}`"),
        Token::Number(number) => format!("`{number}`"),
        Token::Literal(_) => "a literal".to_owned(),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "its end".to_owned(),
    }
}
