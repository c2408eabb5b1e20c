//! The limits of Rekognition's API model, one by one.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(request: &Value) -> Result<DetectLabels, ApiError> {
    DetectLabels::parse(request.to_string().as_bytes())
}

/// A valid request with some parameters added or replaced.
fn with(parameters: Value) -> Value {
    let mut request = json!({ "Image": { "S3Object": { "Bucket": "bucket", "Name": "a key + 🐈.jpg" } } });
    let (Value::Object(request_fields), Value::Object(parameters)) = (&mut request, parameters) else {
        unreachable!("both are objects")
    };
    request_fields.extend(parameters);
    request
}

#[test]
fn has_rekognitions_defaults() {
    let request = parse(&with(json!({}))).expect("the request is valid");
    assert_eq!((request.max_labels, request.min_confidence), (1000, 55.0));
    assert_eq!((request.general_labels, request.dominant_colors), (true, None));
    let expected = ObjectReference {
        bucket: "bucket".into(),
        key: "a key + 🐈.jpg".into(),
        version: None,
    };
    assert_eq!(request.image, ImageSource::Object(expected));
}

#[test]
fn accepts_parameters_within_the_limits() {
    for parameters in [
        json!({ "MaxLabels": 0, "MinConfidence": 0 }),
        json!({ "MaxLabels": 5000, "MinConfidence": 100.0 }),
        json!({ "MaxLabels": null, "Settings": null, "Features": null }),
        json!({ "Features": [] }),
        json!({ "Features": ["IMAGE_PROPERTIES", "GENERAL_LABELS"] }),
        json!({ "Settings": { "ImageProperties": { "MaxDominantColors": 20 } } }),
        json!({ "Settings": { "GeneralLabels": { "LabelInclusionFilters": vec!["Jack-O'-Lantern"; 100] } } }),
        json!({ "SomethingNew": { "Rekognition": "may add" } }),
    ] {
        assert!(parse(&with(parameters.clone())).is_ok(), "{parameters}");
    }
}

#[test]
fn rejects_invalid_parameters_with_rekognitions_errors() {
    use ErrorKind::{ImageTooLargeException, InvalidParameterException, SerializationException};
    let object = |object: Value| json!({ "Image": { "S3Object": object } });
    let labels = |settings: Value| json!({ "Settings": { "GeneralLabels": settings } });
    let too_many_bytes = STANDARD.encode(vec![0; MAX_INLINE_BYTES + 1]);
    for (parameters, kind, message) in [
        (
            json!({ "Image": null }),
            InvalidParameterException,
            "Image is missing",
        ),
        (json!({ "Image": {} }), InvalidParameterException, "neither"),
        (
            json!({ "Image": { "Bytes": "AA==", "S3Object": {} } }),
            InvalidParameterException,
            "both",
        ),
        (
            json!({ "Image": { "Bytes": "" } }),
            InvalidParameterException,
            "empty",
        ),
        (
            json!({ "Image": { "Bytes": "not base64!" } }),
            SerializationException,
            "base64",
        ),
        (json!({ "Image": { "Bytes": 7 } }), SerializationException, ""),
        (
            json!({ "Image": { "Bytes": too_many_bytes } }),
            ImageTooLargeException,
            "5242881",
        ),
        (json!({ "Image": "x" }), SerializationException, ""),
        (
            object(json!({ "Name": "key" })),
            InvalidParameterException,
            "Bucket is missing",
        ),
        (
            object(json!({ "Bucket": "bucket" })),
            InvalidParameterException,
            "Name is missing",
        ),
        (
            object(json!({ "Bucket": "b", "Name": "key" })),
            InvalidParameterException,
            "3 to 255",
        ),
        (
            object(json!({ "Bucket": "a/b/c", "Name": "key" })),
            InvalidParameterException,
            "Bucket",
        ),
        (
            object(json!({ "Bucket": "bucket", "Name": "" })),
            InvalidParameterException,
            "1 to 1024",
        ),
        (
            object(json!({ "Bucket": "bucket", "Name": "x".repeat(1025) })),
            InvalidParameterException,
            "1025",
        ),
        (
            object(json!({ "Bucket": "bucket", "Name": "key", "Version": "" })),
            InvalidParameterException,
            "Version",
        ),
        (json!({ "MaxLabels": -1 }), InvalidParameterException, "MaxLabels"),
        (json!({ "MaxLabels": 1.5 }), SerializationException, ""),
        (json!({ "MaxLabels": "ten" }), SerializationException, ""),
        (
            json!({ "MinConfidence": 100.1 }),
            InvalidParameterException,
            "MinConfidence",
        ),
        (
            json!({ "MinConfidence": -0.1 }),
            InvalidParameterException,
            "MinConfidence",
        ),
        (
            json!({ "Features": ["FACES"] }),
            InvalidParameterException,
            "GENERAL_LABELS",
        ),
        (
            json!({ "Features": vec!["GENERAL_LABELS"; 3] }),
            InvalidParameterException,
            "the maximum is 2",
        ),
        (
            json!({ "Settings": { "ImageProperties": { "MaxDominantColors": 21 } } }),
            InvalidParameterException,
            "MaxDominantColors",
        ),
        (
            labels(json!({ "LabelInclusionFilters": vec!["Cat"; 101] })),
            InvalidParameterException,
            "101",
        ),
        (
            labels(json!({ "LabelExclusionFilters": ["x".repeat(51)] })),
            InvalidParameterException,
            "51",
        ),
        (
            labels(json!({ "LabelCategoryInclusionFilters": ["a{b"] })),
            InvalidParameterException,
            "Category",
        ),
        (
            labels(json!({ "LabelCategoryExclusionFilters": "Cat" })),
            SerializationException,
            "",
        ),
    ] {
        let error = parse(&with(parameters.clone())).expect_err(&parameters.to_string());
        assert_eq!(error.kind, kind, "{parameters}: {error}");
        assert!(error.message.contains(message), "{parameters}: {error}");
    }
}

#[test]
fn filters_by_name_and_category() {
    let filters = |settings: Value| {
        let request = parse(&with(json!({ "Settings": { "GeneralLabels": settings } })));
        request.expect("the request is valid").filters
    };
    let pets = ["Animals and Pets".to_owned()];
    let selected = |settings: Value| filters(settings).select("Cat", &pets);
    assert!(selected(json!({})));
    assert!(selected(json!({ "LabelInclusionFilters": ["Cat"] })));
    assert!(
        !selected(json!({ "LabelInclusionFilters": ["cat"] })),
        "names are exact"
    );
    assert!(selected(
        json!({ "LabelCategoryInclusionFilters": ["Animals and Pets"] })
    ));
    assert!(selected(
        json!({ "LabelInclusionFilters": ["Dog"], "LabelCategoryInclusionFilters": pets })
    ));
    assert!(!selected(json!({ "LabelCategoryInclusionFilters": ["Sports"] })));
    assert!(!selected(json!({ "LabelExclusionFilters": ["Cat"] })));
    assert!(!selected(
        json!({ "LabelInclusionFilters": ["Cat"], "LabelCategoryExclusionFilters": pets })
    ));
    assert!(selected(json!({ "LabelExclusionFilters": ["Dog"] })));
}

/// Arbitrary JSON, which sometimes has the names of real parameters.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "Image",
        "Bytes",
        "S3Object",
        "Bucket",
        "Name",
        "Version",
        "MaxLabels",
        "MinConfidence",
        "Features",
        "Settings",
        "GeneralLabels",
        "LabelInclusionFilters",
        "ImageProperties",
        "MaxDominantColors",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn an_arbitrary_body_does_not_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = DetectLabels::parse(&body);
    }

    #[test]
    fn arbitrary_json_does_not_panic(body in any_json()) {
        let _ = parse(&body);
    }
}
