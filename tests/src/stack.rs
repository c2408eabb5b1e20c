//! The running stack, and the runtime that all tests of a program share.

use crate::bus::Listener;
use crate::users::{User, UserPool};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use domain::ImageKey;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Tests share one runtime, since clients keep their connections in the runtime that opened them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// The stack, as long as a test uses it. The last test to end removes what the tests have set up.
static SHARED: Mutex<Weak<Stack>> = Mutex::new(Weak::new());

/// The content of `stack.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    endpoint: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    api_url: String,
    bucket: String,
    table: String,
    event_bus: String,
    state_machine_arn: String,
    rekognition_url: String,
    dynamodb_url: String,
    user_pool_id: String,
    user_pool_client_id: String,
    demo_user: String,
    demo_password: String,
    dead_letter_queue_url: String,
}

/// Connections are not used again after this time: the stack closes those that are idle for 20 seconds, and a request that is
/// sent at that moment fails.
const MAX_IDLE: Duration = Duration::from_secs(10);

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    /// The endpoint of all AWS services except DynamoDB and Rekognition.
    pub endpoint: String,
    /// The endpoint of DynamoDB.
    pub dynamodb_url: String,
    /// The endpoint of Rekognition.
    pub rekognition_url: String,
    /// The URL of the HTTP API, to which paths of routes are appended.
    pub api_url: String,
    /// The bucket of uploads.
    pub bucket: String,
    /// The table of image records.
    pub table: String,
    /// The event bus, which has the name of the stack.
    pub event_bus: String,
    /// The state machine `label-image`.
    pub state_machine_arn: String,
    /// The queue of events that could not be delivered.
    pub dead_letter_queue_url: String,
    /// The folder of its state and its `stack.json`.
    pub folder: PathBuf,
    /// An HTTP client in place of a browser.
    pub http: reqwest::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// EventBridge.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// The user pool.
    pub user_pool: UserPool,
    /// Required by the emulator's own routes.
    pub(crate) secret_access_key: String,
    /// When the first test that uses it began.
    pub(crate) began: SystemTime,
    /// The keys that executions' inputs name, by the executions' ARNs.
    pub(crate) subjects: Mutex<HashMap<String, Option<String>>>,
    listener: OnceCell<Listener>,
    pub(crate) demo_user: OnceCell<User>,
}

/// Runs a test against the stack.
///
/// # Panics
/// If there is no running stack, or the test fails.
pub fn run(test: impl AsyncFnOnce(&Stack)) {
    // Dropped here, outside of the runtime, since it blocks until everything is removed.
    let stack = Stack::shared();
    stack.block_on(test);
}

/// Runs a part of a test against the stack that a `stack.json` describes.
///
/// # Panics
/// If there is no running stack, or the test fails.
pub fn run_on<T>(description: &Path, test: impl AsyncFnOnce(&Stack) -> T) -> T {
    Stack::connect(description).block_on(test)
}

impl Stack {
    fn block_on<T>(&self, test: impl AsyncFnOnce(&Stack) -> T) -> T {
        RUNTIME.block_on(async {
            // All events from here on are received.
            self.listener().await;
            test(self).await
        })
    }

    fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| {
            SHARED.clear_poison();
            poisoned.into_inner()
        });
        shared.upgrade().unwrap_or_else(|| {
            let stack = Arc::new(Self::connect(&described()));
            *shared = Arc::downgrade(&stack);
            stack
        })
    }

    fn connect(description: &Path) -> Self {
        let stack = read(description);
        let credentials = Credentials::new(
            stack.access_key_id,
            &stack.secret_access_key,
            None,
            None,
            "stack.json",
        );
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&stack.endpoint)
            .region(Region::new(stack.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .build();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config)
            .endpoint_url(&stack.dynamodb_url)
            .build();
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_idle_timeout(MAX_IDLE)
            .build()
            .expect("an HTTP client");
        let user_pool = UserPool {
            http: http.clone(),
            endpoint: stack.endpoint.clone(),
            region: stack.region,
            credentials,
            id: stack.user_pool_id,
            client_id: stack.user_pool_client_id,
            demo_user: stack.demo_user,
            demo_password: stack.demo_password,
        };
        Self {
            endpoint: stack.endpoint,
            dynamodb_url: stack.dynamodb_url,
            rekognition_url: stack.rekognition_url,
            api_url: stack.api_url,
            bucket: stack.bucket,
            table: stack.table,
            event_bus: stack.event_bus,
            state_machine_arn: stack.state_machine_arn,
            dead_letter_queue_url: stack.dead_letter_queue_url,
            secret_access_key: stack.secret_access_key,
            folder: description.parent().map(Path::to_path_buf).unwrap_or_default(),
            http,
            user_pool,
            s3: aws_sdk_s3::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            sfn: aws_sdk_sfn::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            // Some services return times in whole seconds.
            began: SystemTime::now() - Duration::from_secs(1),
            subjects: Mutex::default(),
            listener: OnceCell::new(),
            demo_user: OnceCell::new(),
        }
    }

    /// A unique owner. `what` makes it recognizable.
    pub fn new_owner(&self, what: &str) -> String {
        format!("{what}-{}", Uuid::now_v7().simple())
    }

    /// The image of an object, as the product derives it from the key.
    ///
    /// # Panics
    /// If the key is not that of an upload.
    pub fn image(&self, key: &str) -> ImageKey {
        ImageKey::parse(&self.bucket, key).unwrap_or_else(|| panic!("{key} is not the key of an upload"))
    }

    /// Receives the events of the stack's bus since the first test began.
    pub(crate) async fn listener(&self) -> &Listener {
        self.listener.get_or_init(|| Listener::start(self)).await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.take() {
            RUNTIME.block_on(listener.stop());
        }
    }
}

/// The path of the running stack's `stack.json`.
fn described() -> PathBuf {
    std::env::var_os("ILG_STACK").map(PathBuf::from).unwrap_or_else(|| {
        panic!(
            "This test needs a running stack. Run `cargo xtask test`, which starts one, or set ILG_STACK to the \
             path of a running stack's stack.json."
        )
    })
}

fn read(path: &Path) -> Description {
    let text = std::fs::read(path).unwrap_or_else(|error| {
        panic!(
            "{} cannot be read ({error}). Is the stack running?",
            path.display()
        )
    });
    serde_json::from_slice(&text)
        .unwrap_or_else(|error| panic!("{} is not a stack.json: {error}", path.display()))
}
