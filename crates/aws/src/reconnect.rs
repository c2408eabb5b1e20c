//! An HTTP client for the AWS SDK that resends a request once if its connection breaks before an answer.
//!
//! Lambda can freeze a function for minutes between two invocations. In that time, the services close the connections
//! that the SDK keeps for reuse, and the function does not notice: the first request after the freeze fails. This
//! client resends such a request once, over a new connection, since the other kept connections may be dead as well.
//!
//! It works below the SDK's own retries, which the steps turn off, and therefore for the clients of all services. It
//! does not resend a request after any answer, including HTTP 500, or after a timeout.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::ErrorKind;

/// The HTTP client that the module describes.
#[derive(Debug)]
pub(crate) struct ReconnectingClient {
    /// Keeps connections for reuse, like the SDK's default client.
    pooled: SharedHttpClient,
    /// Opens a connection for each request.
    fresh: SharedHttpClient,
}

impl ReconnectingClient {
    pub(crate) fn new() -> Self {
        Self {
            pooled: https_client(usize::MAX),
            fresh: https_client(0),
        }
    }
}

/// The SDK's default client, with a limit on the idle connections that it keeps for each host.
pub(crate) fn https_client(max_idle_connections: usize) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .pool_max_idle_per_host(max_idle_connections);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

impl HttpClient for ReconnectingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ReconnectingConnector {
            pooled: self.pooled.http_connector(settings, components),
            fresh: self.fresh.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.pooled.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.pooled.connector_metadata()
    }
}

#[derive(Debug)]
struct ReconnectingConnector {
    pooled: SharedHttpConnector,
    fresh: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ReconnectingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A streamed body can be sent only once.
        let copy = request.try_clone();
        let answer = self.pooled.call(request);
        let fresh = self.fresh.clone();
        let (settings, components) = (self.settings.clone(), self.components.clone());
        HttpConnectorFuture::new(async move {
            match (answer.await, copy) {
                (Err(error), Some(request)) if is_broken_connection(&error) => {
                    // Created only when needed, because it loads the trusted certificates.
                    fresh.http_connector(&settings, &components).call(request).await
                }
                (answer, _) => answer,
            }
        })
    }
}

/// Whether no connection could be established, or the connection broke before an answer. A timeout is neither.
fn is_broken_connection(error: &ConnectorError) -> bool {
    // The SDK classifies only hyper's "connection closed before message completed" as "other" and transient.
    !error.is_timeout() && (error.is_io() || error.as_other() == Some(ErrorKind::TransientError))
}

#[cfg(test)]
mod tests {
    use crate::ServiceError;
    use crate::config::{has_timed_out, step_loader};
    use aws_config::{Region, SdkConfig, timeout::TimeoutConfig};
    use aws_sdk_rekognition::error::SdkError;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};
    use std::time::Duration;

    /// How the server reacts to a request.
    enum Reaction {
        /// Answers with this status and this error code, and keeps the connection open.
        Answer(u16, &'static str),
        /// Closes the connection.
        Close,
        /// Never answers.
        Ignore,
    }
    use Reaction::{Answer, Close, Ignore};

    const SUCCESS: Reaction = Answer(200, "");

    /// The number of a request, from 0: among all requests, and among those on its connection.
    struct Count {
        of_all: usize,
        on_connection: usize,
    }

    struct Server {
        url: String,
        requests: Arc<AtomicUsize>,
    }

    impl Server {
        fn start(react: impl Fn(Count) -> Reaction + Send + Sync + 'static) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let requests = Arc::new(AtomicUsize::new(0));
            let (count, react) = (Arc::clone(&requests), Arc::new(react));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let (count, react) = (Arc::clone(&count), Arc::clone(&react));
                    std::thread::spawn(move || serve(&stream.unwrap(), &count, &*react));
                }
            });
            Self { url, requests }
        }

        fn requests(&self) -> usize {
            self.requests.load(Ordering::SeqCst)
        }

        async fn config(&self) -> SdkConfig {
            self.config_with(Duration::from_secs(60)).await
        }

        async fn config_with(&self, timeout: Duration) -> SdkConfig {
            step_loader()
                .endpoint_url(&self.url)
                .region(Region::new("us-east-1"))
                .test_credentials()
                .timeout_config(TimeoutConfig::builder().operation_timeout(timeout).build())
                .load()
                .await
        }
    }

    fn serve(stream: &TcpStream, count: &AtomicUsize, react: &(dyn Fn(Count) -> Reaction + Send + Sync)) {
        let mut reader = BufReader::new(stream);
        for on_connection in 0.. {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or_default() == 0 {
                    return;
                }
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let of_all = count.fetch_add(1, Ordering::SeqCst);
            match react(Count {
                of_all,
                on_connection,
            }) {
                Close => return,
                Ignore => std::thread::park(),
                Answer(status, code) => {
                    let (mut stream, headers) = (stream, "content-type: application/json");
                    let answer = format!(
                        "HTTP/1.1 {status} S\r\n{headers}\r\nx-amzn-errortype: {code}\r\ncontent-length: 2\r\n\r\n{{}}"
                    );
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            }
        }
    }

    async fn get_item(client: &aws_sdk_dynamodb::Client) -> Result<(), ServiceError> {
        let answer = client
            .get_item()
            .table_name("table")
            .set_key(Some([].into()))
            .send();
        match answer.await {
            Ok(_) => Ok(()),
            Err(error) => Err(ServiceError::of("dynamodb:GetItem", &error)),
        }
    }

    /// Calls a service twice. The server closes the kept connection at the second call, so that the call needs two
    /// requests.
    macro_rules! survives_a_dead_connection {
        ($($test:ident: $client:ty, $call:expr;)*) => {$(
            #[tokio::test]
            async fn $test() {
                let server = Server::start(|request| if request.of_all == 1 { Close } else { SUCCESS });
                let client = <$client>::new(&server.config().await);
                let call: fn($client) -> _ = $call;
                call(client.clone()).await.expect("the first call");
                call(client).await.expect("the call over the dead connection");
                assert_eq!(server.requests(), 3, "the second call is sent twice");
            }
        )*};
    }

    survives_a_dead_connection! {
        dynamodb_survives_a_dead_connection: aws_sdk_dynamodb::Client, |client| async move {
            get_item(&client).await
        };
        s3_survives_a_dead_connection: aws_sdk_s3::Client, |client| async move {
            client.put_object().bucket("bucket").key("key").body(vec![7; 10_000].into()).send().await
        };
        rekognition_survives_a_dead_connection: aws_sdk_rekognition::Client, |client| async move {
            client.detect_labels().send().await
        };
        step_functions_survives_a_dead_connection: aws_sdk_sfn::Client, |client| async move {
            client.describe_execution().execution_arn("arn").send().await
        };
        eventbridge_survives_a_dead_connection: aws_sdk_eventbridge::Client, |client| async move {
            client.put_events().set_entries(Some(vec![])).send().await
        };
    }

    #[tokio::test]
    async fn survives_when_all_kept_connections_are_dead() {
        let both = Barrier::new(2);
        let server = Server::start(move |request| {
            if request.on_connection > 0 {
                return Close;
            }
            if request.of_all < 2 {
                // Two concurrent calls, so that two connections are kept.
                both.wait();
            }
            SUCCESS
        });
        let client = aws_sdk_dynamodb::Client::new(&server.config().await);
        let (one, other) = tokio::join!(get_item(&client), get_item(&client));
        assert_eq!((one, other), (Ok(()), Ok(())));
        assert_eq!(get_item(&client).await, Ok(()));
        assert_eq!(
            server.requests(),
            4,
            "two concurrent calls, and one that is sent twice"
        );
    }

    #[tokio::test]
    async fn gives_up_when_the_second_connection_breaks_too() {
        let server = Server::start(|_| Close);
        let client = aws_sdk_dynamodb::Client::new(&server.config().await);
        let error = get_item(&client).await.unwrap_err();
        assert!(matches!(error, ServiceError::ServiceUnavailable(_)), "{error:?}");
        assert_eq!(server.requests(), 2);
    }

    #[tokio::test]
    async fn sends_no_second_request_after_an_answer() {
        let cases = [
            (500, "InternalServerError"),
            (503, "SlowDown"),
            (400, "ThrottlingException"),
            (400, "ValidationException"),
        ];
        for (status, code) in cases {
            let server = Server::start(move |_| Answer(status, code));
            let client = aws_sdk_dynamodb::Client::new(&server.config().await);
            get_item(&client).await.unwrap_err();
            assert_eq!(server.requests(), 1, "{code}");
        }
    }

    #[tokio::test]
    async fn sends_no_second_request_after_a_timeout() {
        let server = Server::start(|_| Ignore);
        // Enough for a busy machine to send the first request.
        let client = aws_sdk_dynamodb::Client::new(&server.config_with(Duration::from_secs(10)).await);
        let error = get_item(&client).await.unwrap_err();
        assert_eq!(
            error,
            ServiceError::ServiceUnavailable("dynamodb:GetItem timed out".into())
        );
        assert_eq!(server.requests(), 1);
    }

    /// A call that timed out may have to be paid for, and is retried less often than one whose request did not arrive.
    #[tokio::test]
    async fn only_a_call_whose_answer_is_late_is_a_timeout() {
        let call = async |config: SdkConfig| {
            let client = aws_sdk_rekognition::Client::new(&config);
            client.detect_labels().send().await.unwrap_err()
        };
        let ignores = Server::start(|_| Ignore);
        let late = call(ignores.config_with(Duration::from_secs(3)).await).await;
        assert!(has_timed_out(&late), "{late:?}");
        // A busy machine can take longer than three seconds to close the connection twice.
        let closes = Server::start(|_| Close);
        let broken = call(closes.config().await).await;
        assert!(matches!(broken, SdkError::DispatchFailure(_)), "{broken:?}");
        assert!(!has_timed_out(&broken));
    }
}
