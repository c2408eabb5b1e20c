//! An in-memory table that evaluates this crate's expressions, counts write and read units by DynamoDB's documented
//! rules, and injects faults that a real engine does not produce on demand.
//!
//! Sources: DynamoDB Developer Guide, "DynamoDB item sizes and formats" and "Managing complex workflows with
//! transactions" (each action of a transaction costs two write units per KB).

use crate::expression::tests::bare_names;
use crate::key::Key;
use crate::{Item, Records};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, TransactionCanceledException};
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, ReturnValue, TransactWriteItem,
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

const TABLE: &str = "images";

/// A change of the items by another program.
type ConcurrentChange = Box<dyn FnOnce(&mut HashMap<Key, Item>) + Send>;

/// The state of the table. Tests read and change it.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) items: HashMap<Key, Item>,
    pub(crate) write_units: u64,
    pub(crate) read_units: u64,
    /// The number of actions of each transaction, in the order of their arrival.
    pub(crate) transactions: Vec<usize>,
    /// The number of keys that each BatchGetItem processes: the first ones of the request, or all if unset. DynamoDB
    /// returns at most 16 MB.
    pub(crate) answered_keys: Option<usize>,
    /// The reasons for canceling the next transactions. `"None"` executes a transaction.
    pub(crate) cancellations: Vec<&'static str>,
    /// Runs immediately before the next transaction: another run of a step, a deletion, a later event.
    pub(crate) before_next_transaction: Option<ConcurrentChange>,
}

#[derive(Clone, Default)]
pub(crate) struct FakeTable(Arc<Mutex<State>>);

type Names = Option<HashMap<String, String>>;
type Values = Option<HashMap<String, AttributeValue>>;

impl FakeTable {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Records that use this table.
    pub(crate) fn records(&self) -> Records {
        let state = self.clone();
        let get = mock!(Client::get_item).then_compute_response(move |request| {
            check_names(request.projection_expression());
            let key = Key::of(request.key().unwrap()).unwrap();
            let item = state.state().read(&key);
            MockResponse::Output(GetItemOutput::builder().set_item(item).build())
        });
        let state = self.clone();
        let batch = mock!(Client::batch_get_item).then_compute_response(move |request| {
            let keys = request.request_items().unwrap()[TABLE].keys();
            assert!(keys.len() <= 100);
            let answered = state.state().answered_keys.unwrap_or(keys.len()).min(keys.len());
            let (keys, unprocessed) = keys.split_at(answered);
            let keys = keys.iter().map(|key| Key::of(key).unwrap());
            let items = keys.filter_map(|key| state.state().read(&key)).collect();
            let mut answer = BatchGetItemOutput::builder().responses(TABLE, items);
            if !unprocessed.is_empty() {
                let unprocessed = KeysAndAttributes::builder().set_keys(Some(unprocessed.to_vec()));
                answer = answer.unprocessed_keys(TABLE, unprocessed.build().unwrap());
            }
            MockResponse::Output(answer.build())
        });
        let state = self.clone();
        let update = mock!(Client::update_item).then_compute_response(move |request| {
            let mut state = state.state();
            let key = Key::of(request.key().unwrap()).unwrap();
            let change = Change::update(
                request.update_expression().unwrap(),
                request.condition_expression(),
                request.expression_attribute_names().cloned(),
                request.expression_attribute_values().cloned(),
            );
            let before = state.items.get(&key).cloned();
            if !change.allowed(before.as_ref()) {
                state.write_units += units(before.as_ref(), None);
                let failed = ConditionalCheckFailedException::builder()
                    .set_item(before)
                    .build();
                return MockResponse::Error(UpdateItemError::ConditionalCheckFailedException(failed));
            }
            let cost = state.apply(&key, &change);
            state.write_units += cost;
            let returned = match request.return_values() {
                Some(ReturnValue::AllNew) => state.items.get(&key).cloned(),
                Some(ReturnValue::AllOld) => before,
                _ => None,
            };
            MockResponse::Output(UpdateItemOutput::builder().set_attributes(returned).build())
        });
        let state = self.clone();
        let transact = mock!(Client::transact_write_items)
            .then_compute_response(move |request| state.state().transact(request.transact_items()));
        let state = self.clone();
        let query = mock!(Client::query).then_compute_response(move |request| {
            check_names(request.projection_expression());
            let index = request.index_name().expect("a query of an index");
            let selected = Change::new(
                Kind::Delete,
                request.key_condition_expression(),
                request.expression_attribute_names().cloned(),
                request.expression_attribute_values().cloned(),
            );
            let limit = usize::try_from(request.limit().unwrap()).unwrap();
            let state = state.state();
            // An index contains the items that have its key, which has the same name.
            let in_index = state.items.values().filter(|item| item.contains_key(index));
            let mut items: Vec<_> = in_index.filter(|item| selected.allowed(Some(item))).collect();
            items.sort_by_key(|item| item[index].as_s().unwrap().clone());
            let last = (items.len() > limit).then(|| items[limit - 1].clone());
            let items = items.into_iter().take(limit).cloned().collect();
            let answer = QueryOutput::builder().set_items(Some(items));
            MockResponse::Output(answer.set_last_evaluated_key(last).build())
        });
        let rules = [&get, &batch, &update, &transact, &query];
        Records::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules),
            TABLE.into(),
        )
    }
}

impl State {
    fn read(&mut self, key: &Key) -> Option<Item> {
        let item = self.items.get(key).cloned();
        let bytes = item.as_ref().map_or(1, item_size);
        self.read_units += bytes.div_ceil(4096);
        item
    }

    fn transact(
        &mut self,
        actions: &[TransactWriteItem],
    ) -> MockResponse<TransactWriteItemsOutput, TransactWriteItemsError> {
        if let Some(change) = self.before_next_transaction.take() {
            change(&mut self.items);
        }
        self.transactions.push(actions.len());
        let changes: Vec<_> = actions.iter().map(Change::of).collect();
        assert!(changes.len() <= 100, "{} actions", changes.len());
        let keys: std::collections::HashSet<_> = changes.iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys.len(),
            changes.len(),
            "DynamoDB rejects two actions on one item"
        );
        let canceled = |reasons: Vec<CancellationReason>| {
            let canceled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons));
            MockResponse::Error(TransactWriteItemsError::TransactionCanceledException(
                canceled.build(),
            ))
        };
        if !self.cancellations.is_empty() {
            let code = self.cancellations.remove(0);
            if code != "None" {
                return canceled(vec![CancellationReason::builder().code(code).build()]);
            }
        }
        let reasons = changes.iter().map(|(key, change)| {
            let item = self.items.get(key);
            let allowed = change.allowed(item);
            CancellationReason::builder()
                .code(if allowed { "None" } else { "ConditionalCheckFailed" })
                .set_item(item.filter(|_| !allowed).cloned())
                .build()
        });
        let reasons: Vec<_> = reasons.collect();
        let refused = reasons.iter().any(|reason| reason.code() != Some("None"));
        for (key, change) in &changes {
            let cost = if refused {
                units(self.items.get(key), None)
            } else {
                self.apply(key, change)
            };
            self.write_units += 2 * cost;
        }
        if refused {
            return canceled(reasons);
        }
        MockResponse::Output(TransactWriteItemsOutput::builder().build())
    }

    /// Applies a change. Returns its write units outside a transaction.
    fn apply(&mut self, key: &Key, change: &Change) -> u64 {
        let before = self.items.get(key).cloned();
        let after = change.result(key, before.clone());
        let units = units(before.as_ref(), after.as_ref());
        match after {
            Some(after) => self.items.insert(key.clone(), after),
            None => self.items.remove(key),
        };
        units
    }
}

/// The write units of a change, which depend on the larger size of the item before and after it.
fn units(before: Option<&Item>, after: Option<&Item>) -> u64 {
    let size = |item: Option<&Item>| item.map_or(0, item_size);
    size(before).max(size(after)).div_ceil(1024).max(1)
}

pub(crate) fn item_size(item: &Item) -> u64 {
    item.iter()
        .map(|(name, value)| name.len() as u64 + value_size(value))
        .sum()
}

fn value_size(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::S(text) => text.len() as u64,
        AttributeValue::B(bytes) => bytes.as_ref().len() as u64,
        // One byte per two significant digits, plus one byte.
        AttributeValue::N(number) => {
            let digits = number.bytes().filter(u8::is_ascii_digit).count() as u64;
            digits.div_ceil(2) + 1
        }
        AttributeValue::Ss(texts) => texts.iter().map(|text| text.len() as u64).sum(),
        // Three bytes, plus one byte per element.
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<u64>(),
        AttributeValue::M(values) => {
            let fields = values.iter();
            3 + fields
                .map(|(name, value)| 1 + name.len() as u64 + value_size(value))
                .sum::<u64>()
        }
        _ => 1,
    }
}

fn check_names(expression: Option<&str>) {
    if let Some(expression) = expression {
        assert_eq!(bare_names(expression), Vec::<String>::new(), "{expression}");
    }
}

/// An action on an item.
struct Change {
    kind: Kind,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

enum Kind {
    Put(Item),
    Delete,
    Update(String),
}

impl Change {
    fn new(kind: Kind, condition: Option<&str>, names: Names, values: Values) -> Self {
        check_names(condition);
        assert!(
            names.as_ref().is_none_or(|names| !names.is_empty()),
            "DynamoDB rejects an empty map"
        );
        assert!(
            values.as_ref().is_none_or(|values| !values.is_empty()),
            "DynamoDB rejects an empty map"
        );
        Self {
            kind,
            condition: condition.map(str::to_owned),
            names: names.unwrap_or_default(),
            values: values.unwrap_or_default(),
        }
    }

    fn update(update: &str, condition: Option<&str>, names: Names, values: Values) -> Self {
        check_names(Some(update));
        Self::new(Kind::Update(update.to_owned()), condition, names, values)
    }

    fn of(action: &TransactWriteItem) -> (Key, Self) {
        if let Some(put) = action.put() {
            let key = Key::of(put.item()).unwrap();
            let kind = Kind::Put(put.item().clone());
            let names = put.expression_attribute_names().cloned();
            let values = put.expression_attribute_values().cloned();
            (key, Self::new(kind, put.condition_expression(), names, values))
        } else if let Some(delete) = action.delete() {
            let names = delete.expression_attribute_names().cloned();
            let values = delete.expression_attribute_values().cloned();
            let change = Self::new(Kind::Delete, delete.condition_expression(), names, values);
            (Key::of(delete.key()).unwrap(), change)
        } else {
            let update = action.update().expect("an action of this crate");
            let names = update.expression_attribute_names().cloned();
            let values = update.expression_attribute_values().cloned();
            let condition = update.condition_expression();
            let change = Self::update(update.update_expression(), condition, names, values);
            (Key::of(update.key()).unwrap(), change)
        }
    }

    fn allowed(&self, item: Option<&Item>) -> bool {
        let Some(condition) = &self.condition else {
            return true;
        };
        let mut tokens = tokens(condition);
        let holds = self.any(&mut tokens, item.unwrap_or(&Item::new()));
        assert!(tokens.is_empty(), "{tokens:?} of {condition}");
        holds
    }

    fn any(&self, tokens: &mut Vec<String>, item: &Item) -> bool {
        let mut holds = self.all(tokens, item);
        while tokens.last().is_some_and(|token| token == "OR") {
            tokens.pop();
            holds |= self.all(tokens, item);
        }
        holds
    }

    fn all(&self, tokens: &mut Vec<String>, item: &Item) -> bool {
        let mut holds = self.one(tokens, item);
        while tokens.last().is_some_and(|token| token == "AND") {
            tokens.pop();
            holds &= self.one(tokens, item);
        }
        holds
    }

    fn one(&self, tokens: &mut Vec<String>, item: &Item) -> bool {
        let mut next = || tokens.pop().expect("a token");
        let first = next();
        if first == "(" {
            let holds = self.any(tokens, item);
            assert_eq!(tokens.pop().as_deref(), Some(")"));
            return holds;
        }
        if first.starts_with("attribute_") {
            assert_eq!(next(), "(");
            let exists = item.contains_key(&self.names[&next()]);
            assert_eq!(next(), ")");
            return exists == (first == "attribute_exists");
        }
        let attribute = item.get(&self.names[&first]);
        let operator = next();
        if operator == "IN" {
            let mut holds = false;
            assert_eq!(next(), "(");
            loop {
                holds |= attribute == Some(&self.values[&next()]);
                if next() == ")" {
                    return holds;
                }
            }
        }
        let value = &self.values[&next()];
        match operator.as_str() {
            "=" => attribute == Some(value),
            "<>" => attribute != Some(value),
            "<" => attribute.is_some_and(|attribute| order(attribute) < order(value)),
            "<=" => attribute.is_some_and(|attribute| order(attribute) <= order(value)),
            ">" => attribute.is_some_and(|attribute| order(attribute) > order(value)),
            other => panic!("{other}"),
        }
    }

    fn result(&self, key: &Key, item: Option<Item>) -> Option<Item> {
        let update = match &self.kind {
            Kind::Put(item) => return Some(item.clone()),
            Kind::Delete => return None,
            Kind::Update(update) => update,
        };
        let mut item = item.unwrap_or_else(|| key.item());
        let mut changed = BTreeMap::new();
        let mut tokens = tokens(update);
        let mut clause = String::new();
        while let Some(token) = tokens.pop() {
            if !token.starts_with('#') {
                if token != "," {
                    clause = token;
                }
                continue;
            }
            let name = self.names[&token].clone();
            assert!(
                changed.insert(name.clone(), ()).is_none(),
                "{name} is changed twice: {update}"
            );
            let mut next = || tokens.pop().expect("a token");
            match clause.as_str() {
                "REMOVE" => drop(item.remove(&name)),
                "SET" => {
                    assert_eq!(next(), "=");
                    let value = next();
                    if value == "if_not_exists" {
                        let words: Vec<_> = (0..5).map(|_| next()).collect();
                        assert_eq!(words[1], token);
                        item.entry(name).or_insert_with(|| self.values[&words[3]].clone());
                    } else {
                        item.insert(name, self.values[&value].clone());
                    }
                }
                "ADD" => {
                    let change = &self.values[&next()];
                    let before = item.get(&name).map_or(0, number);
                    item.insert(name, crate::expression::number(before + number(change)));
                }
                "DELETE" => {
                    let gone = self.values[&next()].as_ss().unwrap();
                    let left: Vec<_> = item
                        .remove(&name)
                        .map_or(vec![], |set| set.as_ss().unwrap().clone());
                    let left: Vec<_> = left.into_iter().filter(|one| !gone.contains(one)).collect();
                    if !left.is_empty() {
                        item.insert(name, AttributeValue::Ss(left));
                    }
                }
                other => panic!("{other}"),
            }
        }
        Some(item)
    }
}

pub(crate) fn number(value: &AttributeValue) -> i64 {
    value.as_n().unwrap().parse().unwrap()
}

/// A sort key for strings and integers that gives DynamoDB's order.
fn order(value: &AttributeValue) -> (i64, &str) {
    match value {
        AttributeValue::S(text) => (0, text),
        value => (number(value), ""),
    }
}

/// The tokens of an expression in reverse order.
fn tokens(expression: &str) -> Vec<String> {
    let spaced = ["(", ")", ","].iter().fold(expression.to_owned(), |text, sign| {
        text.replace(sign, &format!(" {sign} "))
    });
    spaced.split_whitespace().rev().map(str::to_owned).collect()
}
