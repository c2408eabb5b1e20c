//! Builds DynamoDB expressions.
//!
//! DynamoDB rejects expressions that use a reserved word, such as `size` or `status`, as the name of an attribute.
//! There are more than 570 reserved words, and AWS may add some. Therefore only this module builds expressions, and it
//! replaces every name with a placeholder (`#size`) and every value with another (`:0`). A test searches the source code
//! for expressions that are built elsewhere.

use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::fmt::Display;

/// The name of an attribute. ASCII letters only, so that it can be a placeholder.
pub type Name = &'static str;

/// A string value.
pub fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number value.
pub fn number(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A boolean value.
pub fn boolean(boolean: bool) -> AttributeValue {
    AttributeValue::Bool(boolean)
}

/// A string set value. It must not be empty.
pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> AttributeValue {
    AttributeValue::Ss(texts.into_iter().map(Into::into).collect())
}

/// A condition on an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The attribute exists.
    Exists(Name),
    /// The attribute does not exist.
    Absent(Name),
    /// The comparison of the attribute with the value is true.
    Compare(Name, Operator, AttributeValue),
    /// The attribute equals one of the values, at most 100.
    OneOf(Name, Vec<AttributeValue>),
    /// The attribute is at least the first value and at most the second.
    Between(Name, AttributeValue, AttributeValue),
    /// The attribute is a string that begins with the value.
    BeginsWith(Name, AttributeValue),
    /// Both conditions hold.
    And(Box<Condition>, Box<Condition>),
    /// At least one of the conditions holds.
    Or(Box<Condition>, Box<Condition>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<>`: another type or another value.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// The attribute exists and equals the value.
pub fn equals(name: Name, value: AttributeValue) -> Condition {
    Condition::Compare(name, Operator::Equal, value)
}

/// The attribute exists and differs from the value.
pub fn differs(name: Name, value: AttributeValue) -> Condition {
    Condition::Compare(name, Operator::NotEqual, value)
}

/// The attribute is less than the value.
pub fn less(name: Name, value: AttributeValue) -> Condition {
    Condition::Compare(name, Operator::Less, value)
}

/// The attribute is less than or equal to the value.
pub fn at_most(name: Name, value: AttributeValue) -> Condition {
    Condition::Compare(name, Operator::AtMost, value)
}

/// The attribute is greater than or equal to the value.
pub fn at_least(name: Name, value: AttributeValue) -> Condition {
    Condition::Compare(name, Operator::AtLeast, value)
}

/// The attribute is greater than the value.
pub fn greater(name: Name, value: AttributeValue) -> Condition {
    Condition::Compare(name, Operator::Greater, value)
}

impl Condition {
    /// Both conditions hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// At least one of the conditions holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }
}

/// Changes of an item. DynamoDB rejects an update that changes an attribute twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    set: Vec<(Name, Assignment)>,
    remove: Vec<Name>,
    add: Vec<(Name, AttributeValue)>,
    delete: Vec<(Name, AttributeValue)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Assignment {
    Always(AttributeValue),
    IfAbsent(AttributeValue),
}

impl Update {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the attribute.
    #[must_use]
    pub fn set(mut self, name: Name, value: AttributeValue) -> Self {
        self.set.push((name, Assignment::Always(value)));
        self
    }

    /// Sets the attribute, or removes it if `value` is `None`.
    #[must_use]
    pub fn set_or_remove(self, name: Name, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove([name]),
        }
    }

    /// Sets the attribute if it does not exist.
    #[must_use]
    pub fn set_if_absent(mut self, name: Name, value: AttributeValue) -> Self {
        self.set.push((name, Assignment::IfAbsent(value)));
        self
    }

    /// Removes attributes.
    #[must_use]
    pub fn remove(mut self, names: impl IntoIterator<Item = Name>) -> Self {
        self.remove.extend(names);
        self
    }

    /// Adds to a number or a set. A missing attribute counts as 0 or as the empty set.
    #[must_use]
    pub fn add(mut self, name: Name, value: AttributeValue) -> Self {
        self.add.push((name, value));
        self
    }

    /// Deletes elements from a set.
    #[must_use]
    pub fn delete(mut self, name: Name, value: AttributeValue) -> Self {
        self.delete.push((name, value));
        self
    }
}

/// The expressions of one request, with the names and values of their placeholders.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expressions {
    /// `ConditionExpression`
    pub condition: Option<String>,
    /// `KeyConditionExpression`
    pub key_condition: Option<String>,
    /// `UpdateExpression`
    pub update: Option<String>,
    /// `ProjectionExpression`
    pub projection: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expressions {
    /// No expressions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the condition of a write.
    #[must_use]
    pub fn condition(mut self, condition: Condition) -> Self {
        self.condition = Some(self.render(condition));
        self
    }

    /// Sets the condition that selects the items of a query.
    #[must_use]
    pub fn key_condition(mut self, condition: Condition) -> Self {
        self.key_condition = Some(self.render(condition));
        self
    }

    /// Sets the attributes to read.
    #[must_use]
    pub fn projection(mut self, names: &[Name]) -> Self {
        let names: Vec<_> = names.iter().map(|name| self.name(name)).collect();
        self.projection = Some(names.join(", "));
        self
    }

    /// Sets the changes of the item.
    #[must_use]
    pub fn update(mut self, update: Update) -> Self {
        let mut clauses = Vec::new();
        let mut clause = |word: &str, parts: Vec<String>| {
            if !parts.is_empty() {
                clauses.push(format!("{word} {}", parts.join(", ")));
            }
        };
        let set = update.set.into_iter().map(|(name, assignment)| {
            let name = self.name(name);
            match assignment {
                Assignment::Always(value) => format!("{name} = {}", self.value(value)),
                Assignment::IfAbsent(value) => {
                    format!("{name} = if_not_exists({name}, {})", self.value(value))
                }
            }
        });
        clause("SET", set.collect());
        let remove = update.remove.into_iter().map(|name| self.name(name));
        clause("REMOVE", remove.collect());
        for (word, changes) in [("ADD", update.add), ("DELETE", update.delete)] {
            let changes = changes
                .into_iter()
                .map(|(name, value)| format!("{} {}", self.name(name), self.value(value)));
            clause(word, changes.collect());
        }
        self.update = Some(clauses.join(" "));
        self
    }

    /// `ExpressionAttributeNames`. DynamoDB rejects an empty map.
    pub fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    /// `ExpressionAttributeValues`. DynamoDB rejects an empty map.
    pub fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    fn name(&mut self, name: Name) -> String {
        debug_assert!(
            name.bytes().all(|byte| byte.is_ascii_alphabetic()),
            "{name} cannot be a placeholder"
        );
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    fn render(&mut self, condition: Condition) -> String {
        match condition {
            Condition::Exists(name) => format!("attribute_exists({})", self.name(name)),
            Condition::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
            Condition::Compare(name, operator, value) => {
                let sign = match operator {
                    Operator::Equal => "=",
                    Operator::NotEqual => "<>",
                    Operator::Less => "<",
                    Operator::AtMost => "<=",
                    Operator::AtLeast => ">=",
                    Operator::Greater => ">",
                };
                format!("{} {sign} {}", self.name(name), self.value(value))
            }
            Condition::OneOf(name, values) => {
                let values: Vec<_> = values.into_iter().map(|value| self.value(value)).collect();
                format!("{} IN ({})", self.name(name), values.join(", "))
            }
            Condition::Between(name, low, high) => {
                let (low, high) = (self.value(low), self.value(high));
                format!("{} BETWEEN {low} AND {high}", self.name(name))
            }
            Condition::BeginsWith(name, start) => {
                format!("begins_with({}, {})", self.name(name), self.value(start))
            }
            // A query does not allow parentheses around its whole condition.
            Condition::And(left, right) => {
                let (left, right) = (self.operand(*left), self.operand(*right));
                format!("{left} AND {right}")
            }
            Condition::Or(left, right) => {
                let (left, right) = (self.operand(*left), self.operand(*right));
                format!("{left} OR {right}")
            }
        }
    }

    fn operand(&mut self, condition: Condition) -> String {
        let is_compound = matches!(condition, Condition::And(..) | Condition::Or(..));
        let operand = self.render(condition);
        if is_compound {
            format!("({operand})")
        } else {
            operand
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
