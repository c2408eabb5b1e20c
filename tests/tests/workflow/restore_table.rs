//! `cargo xtask restore-table`: a damaged table becomes what it was. The test starts its own stack, because the command changes
//! the whole table.

use crate::restart::{Running, free_ports, stack_folder};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use domain::table::{PARTITION_KEY, SORT_KEY, image_sort, owner_partition};
use domain::{ImageRecord, Status};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tests::xtask::xtask;
use tests::{Stack, pictures, run_on};

/// What a backup of DynamoDB restores to.
const BACKUP: &str = "backup";

type Item = HashMap<String, AttributeValue>;

/// The items of a table that are not about today, by their keys.
async fn items(stack: &Stack, table: &str) -> BTreeMap<(String, String), Item> {
    let pages = stack.dynamodb.scan().table_name(table).into_paginator();
    let items: Vec<Item> = pages
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .expect("items");
    let key = |item: &Item| {
        let text = |name| item[name].as_s().expect("a text").clone();
        (text(PARTITION_KEY), text(SORT_KEY))
    };
    let items = items.into_iter().map(|item| (key(&item), item));
    items
        .filter(|((_, sort), _)| !sort.starts_with("QUOTA#"))
        .collect()
}

async fn back_up(stack: &Stack) {
    let mut create = stack
        .dynamodb
        .create_table()
        .table_name(BACKUP)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [(PARTITION_KEY, KeyType::Hash), (SORT_KEY, KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        create = create
            .attribute_definitions(attribute.build().expect("complete"))
            .key_schema(key.build().expect("complete"));
    }
    create.send().await.expect("created");
    for item in items(stack, &stack.table).await.into_values() {
        let put = stack.dynamodb.put_item().table_name(BACKUP).set_item(Some(item));
        put.send().await.expect("stored");
    }
}

fn restore(folder: &Path, options: &[&str]) -> (bool, String) {
    let output = xtask(&[&["restore-table"], options].concat(), folder);
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), printed)
}

#[test]
fn a_damaged_table_becomes_what_it_was() {
    let folder = stack_folder();
    let _running = Running::start(folder.path(), free_ports(24_000..30_000));
    run_on(&folder.path().join("stack.json"), async |stack| {
        let owner = stack.new_owner("restore");
        let labeled = async |name: &str| {
            let key = format!("uploads/{owner}/{name}");
            stack.put_object(&key, pictures::cat()).await;
            stack.settled_as(&key, Status::Labeled).await;
            // They are stored after the result.
            stack
                .with_thumbnails(&key, |record| !record.thumbnails.is_empty())
                .await
        };
        let (first, second) = (labeled("first").await, labeled("second").await);
        back_up(stack).await;
        let before = items(stack, &stack.table).await;

        // A picture that was uploaded later, a lost record, and a changed one.
        labeled("later").await;
        let item_of = |record: &ImageRecord| {
            let key = (owner_partition(&record.owner), image_sort(record.image_id));
            before[&key].clone()
        };
        let mut lost = item_of(&first);
        lost.retain(|name, _| [PARTITION_KEY, SORT_KEY].contains(&name.as_str()));
        let delete = stack
            .dynamodb
            .delete_item()
            .table_name(&stack.table)
            .set_key(Some(lost));
        delete.send().await.expect("deleted");
        let mut changed = item_of(&second);
        changed.insert("status".to_owned(), AttributeValue::S("FAILED".to_owned()));
        let put = stack
            .dynamodb
            .put_item()
            .table_name(&stack.table)
            .set_item(Some(changed));
        put.send().await.expect("stored");
        let damaged = items(stack, &stack.table).await;
        assert_ne!(damaged, before);

        let (succeeded, printed) = restore(folder.path(), &[BACKUP, "--dry-run"]);
        assert!(succeeded && printed.contains("1 missing and"), "{printed}");
        assert_eq!(items(stack, &stack.table).await, damaged, "nothing was changed");
        let (succeeded, printed) = restore(folder.path(), &[BACKUP]);
        assert!(!succeeded && printed.contains("--yes"), "{printed}");
        for wrong in ["no-such-table", &stack.table] {
            let (succeeded, printed) = restore(folder.path(), &[wrong, "--yes"]);
            assert!(!succeeded && printed.contains("error: "), "{printed}");
        }
        assert_eq!(items(stack, &stack.table).await, damaged, "nothing was changed");

        let (succeeded, printed) = restore(folder.path(), &[BACKUP, "--yes"]);
        assert!(succeeded, "{printed}");
        assert_eq!(items(stack, &stack.table).await, before);
        let (_, printed) = restore(folder.path(), &[BACKUP, "--dry-run"]);
        assert!(printed.contains("0 missing and 0 different"), "{printed}");
        let consistency = stack.consistency(&first.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
    });
}
