//! Wires the HTTP API to Lambda.

use api::{App, Quotas, router};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use events::EventBus;
use lambda::{Environment, Error, Metrics};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::api_config().await;
    let app = App {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        sfn: aws_sdk_sfn::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        default_policy: environment.default_policy()?,
        quotas: Quotas {
            images_per_day: environment.parse("IMAGES_PER_DAY", "a whole number")?,
            total_images_per_day: environment.parse("TOTAL_IMAGES_PER_DAY", "a whole number")?,
        },
        state_machine_arn: environment.text("STATE_MACHINE_ARN")?,
        jobs_state_machine_arn: environment.text("JOBS_STATE_MACHINE_ARN")?,
        bus: EventBus {
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            name: environment.text("EVENT_BUS_NAME")?,
        },
    };
    let metrics = Metrics::from_environment(&environment)?;
    let write_metrics = from_fn(move |request: Request, next: Next| {
        let metrics = metrics.clone();
        async move {
            let response = next.run(request).await;
            metrics.write();
            response
        }
    });
    lambda_http::run(router(app).layer(write_metrics)).await
}
