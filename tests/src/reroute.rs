//! Leads the calls of the stack's functions through a [`Proxy`], and back. It changes the whole stack: what does
//! so runs alone.

use crate::proxy::{Proxy, Service};
use crate::{Stack, run, wait};
use aws_sdk_lambda::types::{Environment, LastUpdateStatus};
use futures_util::FutureExt;
use serde_json::json;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;

/// The functions of the workflow that call any service.
pub const WORKFLOW: [&str; 6] = [
    "validate",
    "detect-labels",
    "convert",
    "persist",
    "notify",
    "record-failure",
];

/// Retries come after a thousandth of their time, so that an outage can outlast all of them.
const RETRIES: f64 = 0.001;

/// The proxy as long as a test uses it.
static SHARED: Mutex<Weak<Proxy>> = Mutex::const_new(Weak::new());

/// Runs a test against the stack while the functions' calls go through a proxy and retries come fast. Tests of one
/// program share the proxy; the last one to end leads the calls back.
///
/// # Panics
/// Without a running stack, and where the test fails.
pub fn run_through_proxy(test: impl AsyncFnOnce(&Stack, &Proxy)) {
    run_functions_through_proxy(&WORKFLOW, test);
}

/// The same, but for these functions only.
///
/// # Panics
/// See [`run_through_proxy`].
pub fn run_functions_through_proxy(functions: &[&str], test: impl AsyncFnOnce(&Stack, &Proxy)) {
    run(async |stack| {
        let proxy = {
            let mut shared = SHARED.lock().await;
            match shared.upgrade() {
                Some(proxy) => proxy,
                None => {
                    let proxy = Arc::new(Proxy::start(&stack.endpoint, &stack.labeler_url).await);
                    stack.reroute(functions, &proxy).await;
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
            stack.route_back(functions).await;
            stack.scale_waits(1.0).await;
        }
        drop((proxy, shared));
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    });
}

impl Stack {
    /// Leads functions' calls through a proxy.
    ///
    /// # Panics
    /// Where Lambda refuses.
    pub async fn reroute(&self, functions: &[&str], proxy: &Proxy) {
        for function in functions {
            self.reroute_function(function, proxy).await;
        }
    }

    /// Leads one function's calls through a proxy.
    ///
    /// # Panics
    /// Where Lambda refuses.
    pub async fn reroute_function(&self, function: &str, proxy: &Proxy) {
        self.change_variables(function, |variables| {
            variables
                .extend(Service::ALL.map(|service| (service.endpoint_variable().to_owned(), proxy.url())));
        })
        .await;
    }

    /// Leads functions' calls to where they went when they were deployed.
    ///
    /// # Panics
    /// Where Lambda refuses.
    pub async fn route_back(&self, functions: &[&str]) {
        for function in functions {
            self.route_function_back(function).await;
        }
    }

    /// Leads one function's calls to where they went when it was deployed.
    ///
    /// # Panics
    /// Where Lambda refuses.
    pub async fn route_function_back(&self, function: &str) {
        self.change_variables(function, |variables| {
            for service in Service::ALL {
                variables.remove(service.endpoint_variable());
            }
            if function == "detect-labels" {
                variables.insert(
                    Service::Rekognition.endpoint_variable().to_owned(),
                    self.labeler_url.clone(),
                );
            }
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
    }

    /// What Lambda calls the function of a folder of `steps/`: they are named after the stack, and so is the bus.
    pub fn function_name(&self, function: &str) -> String {
        format!("{}-{function}", self.event_bus)
    }

    /// Makes the emulator's state machines wait so many times as long as they should, 1 being right. On AWS, nobody
    /// can.
    ///
    /// # Panics
    /// Where nothing answers.
    pub async fn scale_waits(&self, factor: f64) {
        let settings = json!({"stepfunctions._SFN_WAIT_SCALE": factor.to_string()});
        let url = format!("{}/_ministack/config", self.endpoint);
        let answer = self
            .http
            .post(url)
            .json(&settings)
            .send()
            .await
            .expect("an answer of the emulator");
        assert!(answer.status().is_success(), "{answer:?}");
    }
}
