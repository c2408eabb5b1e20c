//! An HTTP client for the AWS SDK that measures each request for traces (`domain::trace`).
//!
//! It works below the SDK, and therefore for the clients of all services. A request ends when the response begins: the time
//! in which the body of a large object is read is not included.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use domain::metric::Service;
use domain::trace;

/// The HTTP client that the module describes.
#[derive(Debug)]
pub(crate) struct TracedClient(SharedHttpClient);

impl TracedClient {
    /// Sends requests with another client.
    pub(crate) fn of(client: SharedHttpClient) -> Self {
        Self(client)
    }
}

impl HttpClient for TracedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(TracedConnector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct TracedConnector(SharedHttpConnector);

impl HttpConnector for TracedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(timer) = trace::call(|| service_and_operation(&request)) else {
            return self.0.call(request);
        };
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let response = response.await;
            if let Ok(response) = &response {
                timer.responded(response.status().as_u16());
            }
            response
        })
    }
}

/// What a request asks for. `None` for services that the functions do not call.
fn service_and_operation(request: &HttpRequest) -> Option<(Service, String)> {
    // The JSON protocols name the operation in a header. S3 does not use them.
    let Some(target) = request.headers().get("x-amz-target") else {
        return Some((Service::S3, s3_operation(request).to_owned()));
    };
    let (api, operation) = target.split_once('.')?;
    let service = match api {
        "AWSEvents" => Service::EventBridge,
        "AWSStepFunctions" => Service::StepFunctions,
        "DynamoDB_20120810" => Service::DynamoDb,
        "RekognitionService" => Service::Rekognition,
        _ => return None,
    };
    Some((service, operation.to_owned()))
}

/// The operation of a request to S3, by its method and parameters ("Actions" in the Amazon S3 API Reference). Any other
/// operation is named by its HTTP method.
fn s3_operation(request: &HttpRequest) -> &'static str {
    let query = request.uri().split_once('?').map_or("", |(_, query)| query);
    let has = |name: &str| query.split('&').any(|part| part.split('=').next() == Some(name));
    match request.method() {
        "GET" if has("versions") => "ListObjectVersions",
        "GET" if has("list-type") => "ListObjectsV2",
        "GET" if has("uploadId") => "ListParts",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" if request.headers().get("x-amz-copy-source").is_some() => "CopyObject",
        "PUT" => "PutObject",
        "POST" if has("delete") => "DeleteObjects",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "POST" => "POST",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use crate::config::step_loader;
    use aws_config::Region;
    use domain::metric::Service;
    use domain::trace::{self, Activity};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;

    /// The URL of a server that answers each request with 200.
    fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while request.read_line(&mut line).is_ok_and(|read| read > 2) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                request.read_exact(&mut vec![0; length]).unwrap();
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
            }
        });
        url
    }

    /// The calls that were measured.
    async fn calls(calling: impl AsyncFnOnce(&aws_config::SdkConfig)) -> Vec<(Service, String, Option<u16>)> {
        let config = step_loader()
            .region(Region::new("us-east-1"))
            .endpoint_url(server())
            .test_credentials()
            .load()
            .await;
        trace::start();
        calling(&config).await;
        trace::take()
            .parts
            .into_iter()
            .map(|part| match part.activity {
                Activity::Call {
                    service,
                    operation,
                    status,
                } => (service, operation, status),
                Activity::Work(work) => panic!("{work:?}"),
            })
            .collect()
    }

    /// The names must not contain anything of the request, such as the key.
    #[tokio::test]
    async fn each_call_is_measured_by_its_service_and_operation() {
        let found = calls(async |config| {
            let s3 = aws_sdk_s3::Client::new(config);
            let (bucket, key) = ("bucket", "uploads/owner/holiday & versions?list-type=2.jpg");
            let _ = s3.get_object().bucket(bucket).key(key).send().await;
            let _ = s3.head_object().bucket(bucket).key(key).send().await;
            let _ = s3.put_object().bucket(bucket).key(key).send().await;
            let _ = s3
                .copy_object()
                .bucket(bucket)
                .key(key)
                .copy_source("b/k")
                .send()
                .await;
            let _ = s3.delete_object().bucket(bucket).key(key).send().await;
            let _ = s3.list_objects_v2().bucket(bucket).prefix(key).send().await;
            let _ = s3.list_object_versions().bucket(bucket).prefix(key).send().await;
            let table = aws_sdk_dynamodb::Client::new(config);
            let _ = table.get_item().table_name("t").send().await;
            let machine = aws_sdk_sfn::Client::new(config);
            let _ = machine.start_execution().state_machine_arn("arn").send().await;
            let bus = aws_sdk_eventbridge::Client::new(config);
            let _ = bus.put_events().send().await;
            let rekognition = aws_sdk_rekognition::Client::new(config);
            let _ = rekognition.detect_labels().send().await;
        })
        .await;
        let expected = [
            (Service::S3, "GetObject"),
            (Service::S3, "HeadObject"),
            (Service::S3, "PutObject"),
            (Service::S3, "CopyObject"),
            (Service::S3, "DeleteObject"),
            (Service::S3, "ListObjectsV2"),
            (Service::S3, "ListObjectVersions"),
            (Service::DynamoDb, "GetItem"),
            (Service::StepFunctions, "StartExecution"),
            (Service::EventBridge, "PutEvents"),
            (Service::Rekognition, "DetectLabels"),
        ];
        let expected = expected.map(|(service, operation)| (service, operation.to_owned(), Some(200)));
        assert_eq!(found, expected);
    }
}
