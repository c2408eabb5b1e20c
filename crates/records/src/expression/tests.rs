use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The keywords and functions of DynamoDB's expressions. Any other word that begins with a letter is a bare name.
const GRAMMAR: [&str; 15] = [
    "SET",
    "REMOVE",
    "ADD",
    "DELETE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "if_not_exists",
    "attribute_exists",
    "attribute_not_exists",
    "begins_with",
    "contains",
    "size",
];

/// The names in an expression that are not placeholders. `size` is a function only before a parenthesis.
pub(crate) fn bare_names(expression: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_#:.".contains(c);
    let mut bare = vec![];
    let mut rest = expression;
    while let Some(start) = rest.find(is_word) {
        let word: String = rest[start..].chars().take_while(|c| is_word(*c)).collect();
        rest = &rest[start + word.len()..];
        let is_function = rest.starts_with('(');
        let is_grammar =
            GRAMMAR.contains(&word.as_str()) && (word.chars().all(char::is_uppercase) || is_function);
        if !word.starts_with(['#', ':']) && !is_grammar {
            bare.push(word);
        }
    }
    bare
}

#[test]
fn finds_bare_names() {
    assert_eq!(
        bare_names("SET size = :size, #a = if_not_exists(created, :a) REMOVE #b, policy"),
        ["size", "created", "policy"]
    );
    assert_eq!(
        bare_names("size(#a) < :a AND attribute_not_exists(#b)"),
        Vec::<String>::new()
    );
}

/// Every kind of expression with the same attribute name.
fn all_with(name: Name) -> Expressions {
    let value = || text("value");
    let condition = Condition::Exists(name)
        .or(Condition::Absent(name))
        .and(equals(name, value()).or(differs(name, value())))
        .and(less(name, value()).or(at_most(name, number(1))))
        .and(Condition::OneOf(name, vec![value(), value()]))
        .and(Condition::Between(name, value(), value()))
        .and(Condition::BeginsWith(name, value()));
    let update = Update::new()
        .set(name, value())
        .set_if_absent(name, value())
        .set_or_remove(name, None)
        .add(name, number(1))
        .delete(name, texts(["a"]));
    Expressions::new()
        .condition(condition.clone())
        .key_condition(condition)
        .update(update)
        .projection(&[name])
}

proptest! {
    #[test]
    fn every_name_and_value_is_a_placeholder(name in "[A-Za-z]{1,30}|size|status|SET|NOT|begins") {
        let name: Name = Box::leak(name.into_boxed_str());
        let all = all_with(name);
        let names = all.names().unwrap();
        let values = all.values().unwrap();
        for expression in [&all.condition, &all.key_condition, &all.update, &all.projection] {
            let expression = expression.as_ref().unwrap();
            prop_assert_eq!(bare_names(expression), Vec::<String>::new(), "{}", expression);
            // DynamoDB rejects undefined placeholders,
            for word in expression.split(|c: char| !(c.is_ascii_alphanumeric() || "#:_".contains(c))) {
                prop_assert!(!word.starts_with('#') || names.contains_key(word), "{}", word);
                prop_assert!(!word.starts_with(':') || values.contains_key(word), "{}", word);
            }
        }
        // and unused names and values.
        let together = format!("{:?}", [&all.condition, &all.key_condition, &all.update, &all.projection]);
        for placeholder in names.keys().chain(values.keys()) {
            prop_assert!(together.contains(placeholder.as_str()));
        }
    }
}

#[test]
fn nested_conditions_have_parentheses() {
    let condition = equals("a", number(1))
        .and(Condition::Absent("b").or(less("b", number(2))))
        .or(differs("c", number(3)));
    let rendered = Expressions::new().condition(condition).condition.unwrap();
    assert_eq!(
        rendered,
        "(#a = :0 AND (attribute_not_exists(#b) OR #b < :1)) OR #c <> :2"
    );
}

#[test]
fn omits_empty_maps_of_names_and_values() {
    let removal = Expressions::new().update(Update::new().remove(["error"]));
    assert_eq!(removal.update.as_deref(), Some("REMOVE #error"));
    assert_eq!(removal.values(), None);
    assert_eq!(Expressions::new().names(), None);
}

/// The SDK's setters for expressions. Its getters have the same names but no arguments.
const SETTERS: [&str; 5] = [
    "update_expression(",
    "condition_expression(",
    "filter_expression(",
    "projection_expression(",
    "expression_attribute_names(",
];

/// The files that may contain expressions: the module that passes them to the SDK, this test, and the tests that
/// compare the local DynamoDB with AWS.
const MAY_WRITE_EXPRESSIONS: [&str; 4] = [
    "crates/records/src/request.rs",
    "crates/records/src/expression/tests.rs",
    "local/dynamodb/tests/dynamodb.rs",
    "tests/tests/workflow/table.rs",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A reserved word in a handwritten expression fails in AWS but can work in an emulator.
#[test]
fn no_other_code_writes_expressions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![];
    for folder in [
        "api",
        "crates",
        "listeners",
        "steps",
        "tests",
        "tools",
        "xtask",
        "local",
    ] {
        sources(&root.join(folder), &mut files);
    }
    let mut setters = HashSet::new();
    for file in files {
        if MAY_WRITE_EXPRESSIONS.iter().any(|path| file.ends_with(path)) {
            continue;
        }
        let code = fs::read_to_string(&file).unwrap();
        for setter in SETTERS {
            let calls = [format!(".{setter}"), format!(".set_{setter}")];
            let sets = |call: &String| {
                code.split(call.as_str())
                    .skip(1)
                    .any(|after| !after.starts_with(')'))
            };
            if calls.iter().any(sets) {
                setters.insert((file.clone(), setter));
            }
        }
    }
    assert_eq!(setters, HashSet::new(), "use records::expression");
}
