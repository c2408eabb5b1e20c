//! Routes the calls of the stack's functions through a [`Proxy`], and directly to the services again. This changes the
//! whole stack, so programs that do it must not run at the same time as others.

use crate::proxy::{Proxy, Service};
use crate::recorder::{self, RECORDER};
use crate::{Stack, run, wait};
use aws_sdk_lambda::types::{Environment, LastUpdateStatus};
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;

/// The functions of the workflow that call a service.
pub const WORKFLOW: [&str; 12] = [
    "validate",
    "detect-labels",
    "convert",
    "inspect-video",
    "label-frames",
    "start-video-labels",
    "read-video-labels",
    "collect-labels",
    "filter-labels",
    "persist",
    "notify",
    "record-failure",
];

/// The other functions that call a service.
pub const OTHERS: [&str; 8] = [
    "thumbnails",
    "resume-video",
    "api",
    "run-job-part",
    "reconcile",
    "check-import",
    "copy-objects",
    "summarize-import",
];

/// The functions that call Rekognition.
const CALL_REKOGNITION: [&str; 4] = [
    "detect-labels",
    "label-frames",
    "start-video-labels",
    "read-video-labels",
];

/// `AutoPublishAlias` in `template.yaml`.
const ALIAS: &str = "live";

/// The factor for the delays of retries, so that an outage can outlast all of them.
const RETRIES: f64 = 0.001;

/// The proxy, as long as a test uses it.
static SHARED: Mutex<Weak<Proxy>> = Mutex::const_new(Weak::new());

/// Runs a test against the stack while the calls of all functions pass through a proxy and retries come fast. Tests of
/// one program share the proxy; the last one to end routes the calls back.
///
/// # Panics
/// If there is no running stack, or the test fails.
pub fn run_through_proxy(test: impl AsyncFnOnce(&Stack, &Proxy)) {
    let functions = [&WORKFLOW[..], &OTHERS].concat();
    run(async |stack| {
        let proxy = {
            let mut shared = SHARED.lock().await;
            match shared.upgrade() {
                Some(proxy) => proxy,
                None => {
                    let proxy = Arc::new(Proxy::new(stack, &stack.rekognition_url));
                    stack.reroute(&functions, &proxy).await;
                    stack.scale_waits(RETRIES).await;
                    *shared = Arc::downgrade(&proxy);
                    proxy
                }
            }
        };
        let result = AssertUnwindSafe(test(stack, &proxy)).catch_unwind().await;
        let mut shared = SHARED.lock().await;
        if Arc::strong_count(&proxy) == 1 {
            *shared = Weak::new();
            stack.route_back(&functions).await;
            stack.scale_waits(1.0).await;
        }
        drop((proxy, shared));
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    });
}

impl Stack {
    /// Routes the calls of functions through a proxy.
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn reroute(&self, functions: &[&str], proxy: &Proxy) {
        join_all(
            functions
                .iter()
                .map(|function| self.reroute_function(function, proxy)),
        )
        .await;
    }

    /// Routes the calls of one function through a proxy.
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn reroute_function(&self, function: &str, proxy: &Proxy) {
        let url = proxy.url_for(function).await;
        self.change_variables(function, |variables| {
            variables
                .extend(Service::ALL.map(|service| (service.endpoint_variable().to_owned(), url.clone())));
            if function == "validate" {
                variables.insert(Service::StepFunctions.endpoint_variable().to_owned(), url.clone());
            }
        })
        .await;
    }

    /// Routes the calls of functions to the recorder if there is one, or to the endpoints that they were deployed with.
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn route_back(&self, functions: &[&str]) {
        join_all(
            functions
                .iter()
                .map(|function| self.route_function_back(function)),
        )
        .await;
    }

    /// Routes the calls of one function back, like [`Self::route_back`].
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn route_function_back(&self, function: &str) {
        let recorder = std::env::var(RECORDER).ok();
        self.route_function(function, recorder.as_deref()).await;
    }

    /// Routes the calls of a function to a recorder with this origin, or to the endpoints that it was deployed with.
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn route_function(&self, function: &str, recorder: Option<&str>) {
        self.change_variables(function, |variables| {
            for variable in recorder::ENDPOINT_VARIABLES {
                variables.remove(variable);
            }
            if CALL_REKOGNITION.contains(&function) {
                variables.insert(
                    Service::Rekognition.endpoint_variable().to_owned(),
                    self.rekognition_url.clone(),
                );
            }
            variables.extend(recorder::variables(recorder));
        })
        .await;
    }

    /// Sets a variable of a function's environment.
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn set_variable(&self, function: &str, name: &str, value: &str) {
        self.change_variables(function, |variables| {
            variables.insert(name.to_owned(), value.to_owned());
        })
        .await;
    }

    async fn change_variables(&self, function: &str, change: impl FnOnce(&mut HashMap<String, String>)) {
        let name = self.function_name(function);
        let configuration = || {
            self.lambda
                .get_function_configuration()
                .function_name(&name)
                .send()
        };
        let now = configuration().await.expect("a function");
        let mut variables = now
            .environment
            .and_then(|environment| environment.variables)
            .unwrap_or_default();
        change(&mut variables);
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let update = self
            .lambda
            .update_function_configuration()
            .function_name(&name)
            .environment(environment);
        update.send().await.expect("the function's new configuration");
        wait::until(&format!("{name} has its new configuration"), async || {
            let now = configuration().await.ok()?;
            (now.last_update_status != Some(LastUpdateStatus::InProgress)).then_some(())
        })
        .await;
        // Rules invoke the version to which the alias points.
        let version = self.lambda.publish_version().function_name(&name).send().await;
        let version = version.expect("a new version").version.expect("a number");
        let alias = self.lambda.update_alias().function_name(&name).name(ALIAS);
        let alias = alias.function_version(version).send().await;
        alias.expect("the alias points to the new version");
    }

    /// The deployed name of the function with this folder's name, such as `validate`. Functions are named after the
    /// stack, and so is the event bus.
    pub fn function_name(&self, function: &str) -> String {
        format!("{}-{function}", self.event_bus)
    }

    /// Multiplies all waits and retry delays of the emulator's state machines by a factor. AWS has no such setting.
    ///
    /// # Panics
    /// If the emulator does not answer.
    pub async fn scale_waits(&self, factor: f64) {
        let settings = json!({"stepfunctions._SFN_WAIT_SCALE": factor.to_string()});
        let url = format!("{}/_ministack/config", self.endpoint);
        let answer = self
            .http
            .post(url)
            .bearer_auth(&self.secret_access_key)
            .json(&settings)
            .send()
            .await
            .expect("an answer of the emulator");
        assert!(answer.status().is_success(), "{answer:?}");
    }
}
