//! The page as a deployment serves it: published by `cargo xtask publish`, through the distribution of the template.

use reqwest::header::HeaderMap;
use serde_json::Value;
use tests::xtask::xtask;
use tests::{Stack, run};

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

/// Asks the distribution as a browser does. The emulator tells distributions apart by the host's name, and takes a
/// proxy's word for TLS.
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

#[test]
fn a_published_page_is_served_with_its_configuration_and_its_headers_from_a_bucket_that_nobody_else_reads() {
    run(async |stack| {
        let output = xtask(&["publish"], &stack.folder);
        let told =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{told}");
        let host = told
            .split("The page: https://")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .expect("the page's address");

        let page = get(stack, host, "/").await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-cache"));
        let policy = page.header("content-security-policy");
        let pictures = format!("https://{}.s3.", stack.bucket);
        assert!(
            policy.starts_with(
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' https://"
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
            "a route is the page"
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
            "or it does not run"
        );

        let config = get(stack, host, "/config.json").await;
        assert_eq!((config.status, config.header("cache-control")), (200, "no-cache"));
        let config: Value = serde_json::from_str(&config.text).expect("JSON");
        assert_eq!(config["signIn"]["clientId"], stack.user_pool.client_id.as_str());
        let issuer = config["signIn"]["issuer"].as_str().unwrap_or_default();
        assert!(issuer.ends_with(&format!("/{}", stack.user_pool.id)), "{issuer}");

        assert_ne!(get(stack, host, "/assets/none.js").await.status, 200);

        let buckets = stack
            .s3
            .list_buckets()
            .send()
            .await
            .expect("buckets")
            .buckets
            .unwrap_or_default();
        let bucket = buckets
            .iter()
            .filter_map(|bucket| bucket.name())
            .find(|name| name.contains("webbucket"))
            .expect("the page's bucket");
        let past = stack.http.get(format!("{}/{bucket}/index.html", stack.endpoint));
        assert_eq!(past.send().await.expect("an answer of S3").status().as_u16(), 403);
    });
}
