//! Keywords that a photo program has stored in a file.

use domain::{ImageRecord, Status};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::File;
use tests::{pictures, run};

/// The cat with these keywords in its XMP data.
fn cat_with_keywords(keywords: &[&str]) -> File {
    let items: String = keywords
        .iter()
        .map(|keyword| format!("<rdf:li>{keyword}</rdf:li>"))
        .collect();
    let xmp = format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>\
         </rdf:Description></rdf:RDF></x:xmpmeta>"
    );
    let bytes = pictures::jpeg_with(&pictures::pixels(), |encoder| {
        let segment = [&b"http://ns.adobe.com/xap/1.0/\0"[..], xmp.as_bytes()].concat();
        encoder.add_app_segment(1, segment).expect("a short segment");
    });
    File::new("cat.jpg", bytes)
}

fn keywords(record: &ImageRecord) -> Vec<&str> {
    let labels = record.labels.iter().flatten().filter(|label| label.keyword);
    labels.map(|label| label.name.as_str()).collect()
}

#[test]
fn keywords_of_a_file_are_labels_until_their_owner_removes_them() {
    run(async |stack| {
        let user = stack.new_user("keywords").await;
        let key = stack
            .upload_of(&user, &cat_with_keywords(&["Grandma", "Lisbon", "cat"]))
            .await;
        let settled = stack.settled_as(&key, Status::Labeled).await;
        let mut found = keywords(&settled.record);
        found.sort_unstable();
        assert_eq!(found, ["Grandma", "Lisbon", "cat"], "{:?}", settled.record.labels);
        let id = settled.record.image_id;

        let search = async |label: &str| {
            let path = format!("/images?label={label}");
            let answer = user.api(Method::GET, &path, None, "").await;
            let images = answer.body["images"].as_array().expect("images").iter();
            images.map(|image| image["imageId"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(search("grandma").await, [json!(id)]);

        let removed = json!({"remove": ["Grandma"]}).to_string();
        let path = format!("/images/{id}/labels");
        let answer = user
            .api(Method::PATCH, &path, Some("application/json"), removed)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(search("grandma").await, Vec::<Value>::new());
        assert_eq!(user.relabel(id).await.status, 202);
        let again = stack.settled_again(&settled.record).await;
        let mut left = keywords(&again.record);
        left.sort_unstable();
        assert_eq!(left, ["Lisbon", "cat"]);
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
    });
}
