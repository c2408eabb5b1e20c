//! The page as a deployment serves it: published by `cargo xtask publish`, through the template's distribution.

use aws_sdk_s3::primitives::ByteStream;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use serde_json::Value;
use tests::xtask::xtask;
use tests::{Stack, run};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Locked by a test that publishes the page, since the stack has only one.
static PAGE: Mutex<()> = Mutex::const_new(());

/// An answer of CloudFront.
struct Served {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Served {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Sends a request to the distribution as a browser does. The emulator distinguishes distributions by the host name, and
/// trusts `x-forwarded-proto`.
async fn get(stack: &Stack, host: &str, path: &str) -> Served {
    let answer = stack
        .http
        .get(format!("{}{path}", stack.endpoint))
        .header("host", host)
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .expect("an answer of CloudFront");
    Served {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.expect("a text"),
    }
}

/// Publishes the page. Returns the distribution's host.
fn publish(stack: &Stack) -> String {
    let output = xtask(&["publish"], &stack.folder);
    let printed =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    let host = printed
        .split("The page: https://")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    host.expect("the page's address").to_owned()
}

/// The bucket of the page's files.
async fn web_bucket(stack: &Stack) -> String {
    let buckets = stack.s3.list_buckets().send().await.expect("buckets").buckets;
    buckets
        .unwrap_or_default()
        .into_iter()
        .filter_map(|bucket| bucket.name)
        .find(|name| name.contains("webbucket"))
        .expect("the page's bucket")
}

#[test]
fn a_published_page_is_served_with_its_configuration_and_headers_from_a_private_bucket() {
    run(async |stack| {
        let _page = PAGE.lock().await;
        let host = &publish(stack);

        let page = get(stack, host, "/").await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-cache"));
        let policy = page.header("content-security-policy");
        let pictures = format!("https://{}.s3.", stack.bucket);
        assert!(
            policy.starts_with(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https://"
            ),
            "{policy}"
        );
        assert!(policy.contains(&pictures), "uploads go to the bucket: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(page.header("strict-transport-security").starts_with("max-age="));

        let route = get(stack, host, "/pictures/019a7000-0000-7000-8000-000000000ca7").await;
        assert_eq!(
            (route.status, &route.text),
            (200, &page.text),
            "every route serves the page"
        );

        let script = page
            .text
            .split('"')
            .find(|text| text.starts_with("/assets/") && text.ends_with(".js"))
            .expect("a script");
        let script = get(stack, host, script).await;
        assert_eq!(
            (script.status, script.header("cache-control")),
            (200, "public, max-age=31536000, immutable")
        );
        assert!(
            script.header("content-type").contains("javascript"),
            "otherwise browsers do not run it"
        );

        let config = get(stack, host, "/config.json").await;
        assert_eq!((config.status, config.header("cache-control")), (200, "no-cache"));
        let config: Value = serde_json::from_str(&config.text).expect("JSON");
        assert_eq!(config["signIn"]["clientId"], stack.user_pool.client_id.as_str());
        let issuer = config["signIn"]["issuer"].as_str().unwrap_or_default();
        assert!(issuer.ends_with(&format!("/{}", stack.user_pool.id)), "{issuer}");

        assert_ne!(get(stack, host, "/assets/none.js").await.status, 200);

        let bucket = web_bucket(stack).await;
        let past = stack.http.get(format!("{}/{bucket}/index.html", stack.endpoint));
        assert_eq!(past.send().await.expect("an answer of S3").status().as_u16(), 403);
    });
}

/// The time when a file was superseded, in the format of `publish`.
fn superseded(days_ago: i64) -> String {
    let then = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
    then.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// An open page loads its files when it needs them, which can be days after a newer page was published.
#[test]
fn hashed_files_of_earlier_pages_are_kept_for_30_days() {
    run(async |stack| {
        let _page = PAGE.lock().await;
        let bucket = web_bucket(stack).await;
        let run = Uuid::now_v7().simple();
        let put = async |key: &str, since: Option<String>| {
            let body = ByteStream::from_static(b"export {};");
            let put = stack.s3.put_object().bucket(&bucket).key(key).body(body);
            let tag = since.map(|since| format!("superseded={}", since.replace('+', "%2B")));
            put.set_tagging(tag).send().await.expect("an object");
        };
        let [last, recent, expired, unhashed] = ["assets/last", "assets/recent", "assets/expired", "removed"]
            .map(|name| format!("{name}-{run}.js"));
        put(&last, None).await;
        put(&recent, Some(superseded(29))).await;
        put(&expired, Some(superseded(31))).await;
        put(&unhashed, None).await;

        let exists = async |key: &str| {
            stack
                .s3
                .head_object()
                .bucket(&bucket)
                .key(key)
                .send()
                .await
                .is_ok()
        };
        let since = async |key: &str| {
            let tags = stack
                .s3
                .get_object_tagging()
                .bucket(&bucket)
                .key(key)
                .send()
                .await;
            let tags = tags.expect("an object").tag_set;
            let since = tags.iter().find(|tag| tag.key() == "superseded");
            since.map(|since| since.value().to_owned())
        };
        let started = superseded(0);
        let host = publish(stack);
        assert!(
            exists(&last).await && exists(&recent).await,
            "open pages may need them"
        );
        assert!(!exists(&expired).await && !exists(&unhashed).await);
        let remembered = since(&last).await.expect("when it was superseded");
        assert!(remembered >= started, "{remembered} is before {started}");

        // The files of a page that is published again are needed again.
        let page = get(stack, &host, "/").await.text;
        let script = page
            .split('"')
            .find(|text| text.starts_with("/assets/"))
            .expect("a file");
        let script = script.trim_start_matches('/');
        put(script, Some(superseded(31))).await;
        publish(stack);
        assert_eq!(
            since(&last).await,
            Some(remembered),
            "the 30 days do not start again"
        );
        assert!(exists(script).await);
        assert_eq!(since(script).await.unwrap_or_default(), "");
        for key in [&last, &recent] {
            stack
                .s3
                .delete_object()
                .bucket(&bucket)
                .key(key)
                .send()
                .await
                .expect("a deletion");
        }
    });
}
