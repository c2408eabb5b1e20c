//! Exports of labels: their content, errors, cancellation, deletion, and what photo programs read.

use crate::{all, check_problem, get};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::export::files_prefix;
use domain::table::{image_sort, job_sort, owner_partition};
use domain::{Export, ExportFile, ExportFormat, ImageId, Job, JobId, JobKind, JobStatus, Selection};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::api::{Answer, File};
use tests::seed::{Seed, key};
use tests::users::User;
use tests::{Stack, run, wait};
use zip::ZipArchive;

type Item = HashMap<String, AttributeValue>;

async fn post(user: &User, body: &Value) -> Answer {
    user.api(Method::POST, "/jobs", Some("application/json"), body.to_string())
        .await
}

/// Starts an export. Returns the job.
async fn start(user: &User, format: &str, selection: Value) -> Value {
    let mut body = json!({"kind": "EXPORT", "format": format});
    for (name, value) in selection.as_object().expect("fields") {
        body[name] = value.clone();
    }
    let started = post(user, &body).await;
    assert_eq!(started.status, 202, "{started:?}");
    assert_eq!(
        (
            &started.body["kind"],
            &started.body["status"],
            &started.body["format"]
        ),
        (&json!("EXPORT"), &json!("RUNNING"), &json!(format))
    );
    started.body
}

/// The job when it has ended.
async fn ended(user: &User, job: &Value) -> Value {
    let path = format!("/jobs/{}", job["jobId"].as_str().expect("a job"));
    wait::until("the export has ended", async || {
        let job = get(user, &path).await.body;
        (job["status"] != "RUNNING").then_some(job)
    })
    .await
}

/// Exports images, and downloads the files.
async fn exported(stack: &Stack, user: &User, format: &str, selection: Value) -> (Value, Vec<Vec<u8>>) {
    let job = start(user, format, selection).await;
    let job = ended(user, &job).await;
    assert_eq!(job["status"], "SUCCEEDED", "{job}");
    let mut files = vec![];
    for file in job["files"].as_array().expect("files") {
        let bytes = download(stack, file).await;
        assert_eq!(file["size"], json!(bytes.len()));
        files.push(bytes);
    }
    (job, files)
}

async fn download(stack: &Stack, file: &Value) -> Vec<u8> {
    let url = file["url"].as_str().expect("a URL");
    let answer = stack.http.get(url).send().await.expect("an answer of S3");
    assert_eq!(answer.status(), 200);
    let disposition = &answer.headers()["content-disposition"];
    let name = file["fileName"].as_str().expect("a name");
    assert_eq!(disposition, &format!("attachment; filename=\"{name}\""));
    answer.bytes().await.expect("a file").to_vec()
}

/// The rows of a table: image ID and label.
fn rows(table: &[u8]) -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_reader(table);
    let headers = reader.headers().expect("a header").clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|column| column == name)
            .expect("a column")
    };
    let (id, label) = (column("imageId"), column("label"));
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| (row[id].to_owned(), row[label].to_owned()))
        .collect()
}

fn ids(rows: &[(String, String)]) -> BTreeSet<&str> {
    rows.iter().map(|(id, _)| id.as_str()).collect()
}

/// The names and contents of the sidecars in an archive.
fn sidecars(archive: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).expect("an archive");
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).expect("a file");
            let name = file.enclosed_name().expect("a name inside the folder");
            let name = name.to_str().expect("UTF-8").to_owned();
            let mut content = vec![];
            file.read_to_end(&mut content).expect("a sidecar");
            (name, content)
        })
        .collect()
}

/// More images than a page, of several kinds.
fn library() -> Vec<Seed> {
    (0..130)
        .map(|index: u8| {
            let time = format!("2026-11-10T10:{:02}:{:02}.000Z", index / 60, index % 60);
            let labels: &[(&str, f64)] = match index % 4 {
                0 => &[("Cat", 90.0), ("=Dog", 80.0)],
                1 => &[("Cat", 60.0)],
                2 => &[("Person", 90.0), ("Cat", 70.0)],
                _ => &[],
            };
            let mut image = Seed::labeled(&time, labels);
            image.taken_at = (index < 50).then(|| "2015-07-13T10:00:00".to_owned());
            image
        })
        .collect()
}

#[test]
fn an_export_contains_exactly_the_images_that_the_same_search_finds() {
    run(async |stack| {
        let user = stack.new_user("export").await;
        let images = library();
        stack.seed(&user.owner, &images).await;
        for search in [
            "",
            "label=cat>65&without=person&taken=2015",
            "untagged=true",
            "from=2026-11-10T10:01:30",
        ] {
            let found: BTreeSet<String> = all(&user, &format!("{search}&limit=100"))
                .await
                .into_iter()
                .collect();
            assert!(!found.is_empty(), "{search}");
            let (job, files) = exported(stack, &user, "CSV", json!({"search": search})).await;
            assert_eq!((files.len(), &job["processed"]), (1, &json!(130)), "{search}");
            assert_eq!(job["files"][0]["images"], json!(found.len()));
            let rows = rows(&files[0]);
            assert!(ids(&rows).into_iter().eq(&found), "{search}");
        }
        let (job, files) = exported(stack, &user, "CSV", json!({})).await;
        assert_eq!(
            (&job["total"], &job["files"][0]["images"]),
            (&json!(130), &json!(130))
        );
        let table = rows(&files[0]);
        let labels = images
            .iter()
            .map(|image| image.labels.len().max(1))
            .sum::<usize>();
        assert_eq!(
            table.len(),
            labels,
            "a row for each label, and for each image without any"
        );
        assert!(table.iter().any(|(_, label)| label == "'=Dog"), "no formulas");

        let (_, files) = exported(stack, &user, "JSON", json!({"search": "label=person"})).await;
        let document: Value = serde_json::from_slice(&files[0]).expect("a document");
        let documents = document["images"].as_array().expect("images");
        assert_eq!(documents.len(), all(&user, "label=person&limit=100").await.len());
        let id = documents[0]["imageId"].as_str().expect("an ID");
        let mut shown = get(&user, &format!("/images/{id}")).await.body;
        let shown = shown.as_object_mut().expect("an image");
        for link in ["thumbnails", "view"] {
            shown.remove(link);
        }
        for (name, value) in shown.iter() {
            assert_eq!(&documents[0][name], value, "{name}");
        }

        let (job, files) = exported(stack, &user, "XMP", json!({})).await;
        let with_labels = images.iter().filter(|image| !image.labels.is_empty()).count();
        assert_eq!(job["files"][0]["images"], json!(with_labels));
        assert_eq!(sidecars(files[0].clone()).len(), with_labels);

        let (job, files) = exported(stack, &user, "XMP", json!({"search": "label=unicorn"})).await;
        assert_eq!((files.len(), &job["files"]), (0, &json!([])), "nothing matches");
        let listed = get(&user, "/jobs").await.body;
        assert_eq!(listed["jobs"].as_array().expect("jobs").len(), 8);
        assert!(
            listed["jobs"]
                .as_array()
                .expect("jobs")
                .iter()
                .all(|job| job.get("files").is_none())
        );
    });
}

/// The selection of the page can contain images that were deleted in the meantime.
#[test]
fn named_images_are_exported_if_they_exist_and_belong_to_the_user() {
    run(async |stack| {
        let (user, other) = (stack.new_user("named").await, stack.new_user("other").await);
        let images = library();
        stack.seed(&user.owner, &images[..3]).await;
        stack.seed(&other.owner, &images[3..4]).await;
        stack.mark_deleted(&user.owner, &images[1]).await;
        let mut named: Vec<_> = images[..4]
            .iter()
            .map(|image| image.image_id.to_string())
            .collect();
        named.push(ImageId::new().to_string());
        let (job, files) = exported(stack, &user, "CSV", json!({"ids": named})).await;
        assert_eq!((&job["total"], &job["processed"]), (&json!(5), &json!(5)));
        let rows = rows(&files[0]);
        let expected = [&images[0], &images[2]].map(|image| image.image_id.to_string());
        assert_eq!(ids(&rows), expected.iter().map(String::as_str).collect());
    });
}

/// Neither a deletion that is not complete nor one that is makes an export fail.
#[test]
fn deleted_images_are_not_exported() {
    run(async |stack| {
        let user = stack.new_user("tombstones").await;
        let images = library();
        stack.seed(&user.owner, &images[..4]).await;
        stack.mark_deleted(&user.owner, &images[0]).await;
        let closed = ImageId::new();
        let mut tombstone: Item = serde_dynamo::to_item(json!({
            "imageId": closed, "owner": user.owner, "bucket": stack.bucket, "status": "DELETED",
            "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 2_000_000_000,
        }))
        .expect("an item");
        tombstone.extend(key(owner_partition(&user.owner), image_sort(closed)));
        stack.write_items([tombstone].into_iter()).await;
        for format in ["CSV", "JSON"] {
            let (job, _) = exported(stack, &user, format, json!({})).await;
            assert_eq!(job["files"][0]["images"], 3, "{format}");
        }
    });
}

#[test]
fn an_invalid_export_is_rejected_with_the_field() {
    run(async |stack| {
        let user = stack.new_user("invalid-export").await;
        let good = json!({"kind": "EXPORT", "format": "CSV"});
        let with = |field: &str, value: Value| {
            let mut body = good.clone();
            body[field] = value;
            body
        };
        for (name, value, field) in [
            ("kind", json!("REFILTER"), "kind"),
            ("kind", json!(null), "kind"),
            ("format", json!("XLSX"), "format"),
            ("format", json!(1), "format"),
            ("search", json!(["label=cat"]), "search"),
            ("search", json!("limit=10"), "search"),
            ("search", json!("owner=somebody"), "search"),
            ("search", json!("label=cat>101"), "search.label"),
            ("search", json!("status=DELETED"), "search.status"),
            ("search", json!("from=yesterday"), "search.from"),
            ("search", json!("from=2026-11-22&to=2026-11-22"), "search.to"),
            ("search", json!("untagged=true&untagged=true"), "search.untagged"),
            ("ids", json!([]), "ids"),
            ("ids", json!("all"), "ids"),
            ("ids", json!(vec![ImageId::new().to_string(); 101]), "ids"),
        ] {
            let answer = post(&user, &with(name, value.clone())).await;
            let what = format!("{name} {value}").chars().take(80).collect::<String>();
            check_problem(&what, &answer, 400, "invalid-field", Some(field));
        }
        let mut both = with("ids", json!([ImageId::new()]));
        both["search"] = json!("label=cat");
        check_problem(
            "both",
            &post(&user, &both).await,
            400,
            "invalid-field",
            Some("ids"),
        );
        let unknown = with("owner", json!("somebody"));
        check_problem("owner", &post(&user, &unknown).await, 400, "unknown-field", None);
        let jobs = get(&user, "/jobs").await.body;
        assert_eq!(jobs["jobs"], json!([]), "none of them was started");
    });
}

/// A job whose execution does not exist.
fn job(user: &User, status: JobStatus, updated_at: Timestamp, files: usize) -> Job {
    let file = |number| ExportFile {
        name: ExportFile::name(number, None),
        size: 6,
        images: 1,
    };
    Job {
        status,
        total: Some(1),
        export: Some(Export {
            format: ExportFormat::Csv,
            selection: Selection::Images(vec![ImageId::new()]),
        }),
        files: (1..=files).map(file).collect(),
        expires_at: (updated_at + SignedDuration::from_hours(24)).as_second(),
        ..Job::new(JobId::new(), &user.owner, JobKind::Export, updated_at)
    }
}

/// Stores a job and its files.
async fn store(stack: &Stack, job: &Job) {
    let mut item: Item = serde_dynamo::to_item(job).expect("an item");
    item.extend(key(owner_partition(&job.owner), job_sort(job.job_id)));
    stack.write_items([item].into_iter()).await;
    for file in &job.files {
        stack
            .put_object(&file.key(&job.owner, job.job_id), *b"labels")
            .await;
    }
}

async fn delete_record(stack: &Stack, job: &Job) {
    let delete = stack.dynamodb.delete_item().table_name(&stack.table);
    let key = key(owner_partition(&job.owner), job_sort(job.job_id));
    delete
        .set_key(Some(key))
        .send()
        .await
        .expect("an answer of the table");
}

async fn files_of(stack: &Stack, job: &Job) -> Vec<String> {
    stack.versions_under(&files_prefix(&job.owner, job.job_id)).await
}

#[test]
fn three_exports_can_run_at_the_same_time() {
    run(async |stack| {
        let user = stack.new_user("three").await;
        let now = Timestamp::now();
        // Their executions have ended without completing them.
        for _ in 0..3 {
            let failed = job(&user, JobStatus::Running, now - SignedDuration::from_hours(1), 0);
            store(stack, &failed).await;
        }
        // Longer than this test takes, so that Step Functions is not asked.
        let running = [0; 3].map(|_| job(&user, JobStatus::Running, now + SignedDuration::from_hours(1), 0));
        for job in &running[..2] {
            store(stack, job).await;
        }
        let third = start(&user, "CSV", json!({})).await;
        assert_eq!(ended(&user, &third).await["status"], "SUCCEEDED");
        store(stack, &running[2]).await;
        let fourth = post(&user, &json!({"kind": "EXPORT", "format": "CSV"})).await;
        check_problem("a fourth export", &fourth, 409, "too-many-exports", None);
        let jobs = get(&user, "/jobs").await.body["jobs"]
            .as_array()
            .expect("jobs")
            .len();
        assert_eq!(jobs, 7, "the fourth one has left no record");
        let path = format!("/jobs/{}", running[0].job_id);
        let canceled = user.api(Method::DELETE, &path, None, "").await;
        assert_eq!(
            (canceled.status, &canceled.body["status"]),
            (200, &json!("CANCELED"))
        );
        let next = start(&user, "CSV", json!({})).await;
        assert_eq!(ended(&user, &next).await["status"], "SUCCEEDED");
    });
}

/// Whenever the owner cancels, the export has no files afterwards.
#[test]
fn a_canceled_export_has_no_files() {
    run(async |stack| {
        let user = stack.new_user("cancel").await;
        stack.seed(&user.owner, &library()).await;
        // Before, while or after the first part runs.
        for _ in 0..3 {
            let job = start(&user, "JSON", json!({})).await;
            let id = job["jobId"].as_str().expect("an ID");
            let answer = user.api(Method::DELETE, &format!("/jobs/{id}"), None, "").await;
            let machine = stack.state_machine_arn.replace("-label-image", "-run-job");
            stack
                .ended(&format!(
                    "{}:{id}",
                    machine.replace(":stateMachine:", ":execution:")
                ))
                .await;
            let job = ended(&user, &job).await;
            assert_eq!(job["status"], answer.body["status"]);
            let prefix = files_prefix(&user.owner, JobId::parse(id).expect("an ID"));
            let is_canceled = job["status"] == "CANCELED";
            assert_eq!(
                stack.versions_under(&prefix).await.is_empty(),
                is_canceled,
                "{job}"
            );
            assert_eq!(job.get("files").is_none(), is_canceled);
        }
    });
}

/// The next part finds that the job is canceled, that its record is deleted, or, in a slow attempt, that it has succeeded.
#[test]
fn a_part_of_an_ended_export_deletes_its_files_unless_it_has_succeeded() {
    run(async |stack| {
        let user = stack.new_user("ended").await;
        let [canceled, deleted, succeeded] = [JobStatus::Canceled, JobStatus::Canceled, JobStatus::Succeeded]
            .map(|status| job(&user, status, Timestamp::now(), 2));
        for job in [&canceled, &deleted, &succeeded] {
            store(stack, job).await;
        }
        delete_record(stack, &deleted).await;
        for (job, left) in [(&canceled, 0), (&deleted, 0), (&succeeded, 2)] {
            let input = json!({"jobId": job.job_id, "owner": user.owner, "files": job.files});
            let done = stack.invoke("run-job-part", &input).await.expect("an answer");
            assert_eq!(done["done"], true);
            assert_eq!(files_of(stack, job).await.len(), left, "{:?}", job.status);
        }
    });
}

/// Step Functions repeats a part whose answer it did not get.
#[test]
fn a_repeated_part_replaces_its_file() {
    run(async |stack| {
        let user = stack.new_user("repeated").await;
        let images = library();
        stack.seed(&user.owner, &images[..5]).await;
        let mut running = job(&user, JobStatus::Running, Timestamp::now(), 0);
        let named = images[..5].iter().map(|image| image.image_id).collect();
        running.export = Some(Export {
            format: ExportFormat::Csv,
            selection: Selection::Images(named),
        });
        let input = json!({"jobId": running.job_id, "owner": user.owner});
        for expected in [5, 4] {
            // As if the first attempt had ended before it could store that it is done.
            store(stack, &running).await;
            let done = stack.invoke("run-job-part", &input).await.expect("an answer");
            assert_eq!(done["files"][0]["images"], expected);
            assert_eq!(files_of(stack, &running).await.len(), 1);
            let job = get(&user, &format!("/jobs/{}", running.job_id)).await.body;
            let rows = rows(&download(stack, &job["files"][0]).await);
            assert_eq!(
                ids(&rows).len(),
                expected,
                "the second file replaces the first one"
            );
            stack.mark_deleted(&user.owner, &images[0]).await;
        }
    });
}

#[test]
fn an_export_is_private_and_is_deleted_with_all_data() {
    run(async |stack| {
        let (ann, bob) = (stack.new_user("ann").await, stack.new_user("bob").await);
        stack.seed(&ann.owner, &library()[..5]).await;
        let (job, _) = exported(stack, &ann, "CSV", json!({})).await;
        let id = job["jobId"].as_str().expect("an ID");
        let path = format!("/jobs/{id}");
        check_problem("another's job", &get(&bob, &path).await, 404, "no-such-job", None);
        let canceled = bob.api(Method::DELETE, &path, None, "").await;
        check_problem("another's job", &canceled, 404, "no-such-job", None);
        assert_eq!(get(&bob, "/jobs").await.body["jobs"], json!([]));
        let url = job["files"][0]["url"].as_str().expect("a URL");
        let unsigned = url.split_once('?').expect("a signature").0;
        let answer = stack.http.get(unsigned).send().await.expect("an answer");
        assert_eq!(answer.status(), 403, "without a signature");

        let later = start(&ann, "JSON", json!({})).await;
        bob.delete_data().await;
        assert_eq!(
            get(&ann, &path).await.body["files"]
                .as_array()
                .expect("files")
                .len(),
            1
        );
        ann.delete_data().await;
        let prefix = format!("exports/{}/", ann.owner.as_str());
        let machine = stack.state_machine_arn.replace("-label-image", "-run-job");
        let execution = machine.replace(":stateMachine:", ":execution:");
        stack
            .ended(&format!(
                "{execution}:{}",
                later["jobId"].as_str().expect("an ID")
            ))
            .await;
        assert_eq!(stack.versions_under(&prefix).await, Vec::<String>::new());
        check_problem("a deleted job", &get(&ann, &path).await, 404, "no-such-job", None);
    });
}

/// exiftool, from the npm packages of the tests.
fn exiftool(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let program =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("node_modules/exiftool-vendored.pl/bin/exiftool");
    assert!(program.is_file(), "exiftool is missing: run `npm ci` in tests/");
    let output = Command::new("perl")
        .arg(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("Perl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The values of a tag, which exiftool prints as a list only if there are several.
fn values(folder: &Path, file: &str, tag: &str) -> BTreeSet<String> {
    let output = exiftool(folder, &["-json", &format!("-{tag}"), file]);
    let output: Value = serde_json::from_slice(&output).expect("JSON");
    let name = tag.rsplit(':').next().unwrap_or(tag);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match &output[0][name] {
        Value::Array(values) => values.iter().map(text).collect(),
        value => BTreeSet::from([text(value)]),
    }
}

#[test]
fn exiftool_reads_the_keywords_of_a_sidecar_and_copies_them_into_the_picture() {
    run(async |stack| {
        let user = stack.new_user("exiftool").await;
        let picture = File::cat();
        let key = stack.upload_of(&user, &picture).await;
        stack.settled(&key).await;
        let id = stack.image(&key).image_id;
        let added = json!({"add": ["Größe <&> 犬", "R&D"]}).to_string();
        let path = format!("/images/{id}/labels");
        let corrected = user
            .api(Method::PATCH, &path, Some("application/json"), added)
            .await;
        assert_eq!(corrected.status, 200, "{corrected:?}");

        let (_, files) = exported(stack, &user, "XMP", json!({"ids": [id]})).await;
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in sidecars(files[0].clone()) {
            fs::write(folder.path().join(name), content).expect("a sidecar");
        }
        fs::write(folder.path().join(&picture.name), &picture.bytes).expect("a picture");

        let image = get(&user, &format!("/images/{id}")).await.body;
        let labels = image["labels"].as_array().expect("labels");
        let name = |label: &Value| label["name"].as_str().expect("a name").to_owned();
        let names: BTreeSet<String> = labels.iter().map(name).collect();
        let sidecar = format!("{}.xmp", picture.name);
        assert_eq!(values(folder.path(), &sidecar, "XMP-dc:Subject"), names);
        let paths = values(folder.path(), &sidecar, "XMP-lr:HierarchicalSubject");
        let last: BTreeSet<String> = paths
            .iter()
            .filter_map(|path| path.rsplit('|').next())
            .map(str::to_owned)
            .collect();
        assert_eq!(last, names, "each label has a path");
        let cat = labels.iter().find(|label| label["name"] == "Cat").expect("a cat");
        let has_parents = cat["parents"]
            .as_array()
            .is_some_and(|parents| !parents.is_empty());
        assert_eq!(paths.iter().any(|path| path.ends_with("|Cat")), has_parents);

        exiftool(
            folder.path(),
            &[
                "-overwrite_original",
                "-tagsFromFile",
                &sidecar,
                "-XMP:all",
                &picture.name,
            ],
        );
        assert_eq!(values(folder.path(), &picture.name, "XMP-dc:Subject"), names);
    });
}
